#!/usr/bin/env bash
# Runs a command with a private PostgreSQL: scripts/with-postgres.sh CMD [ARG...]
#
# The cluster lives in a temporary folder, listens on a free loopback port with TLS on (a certificate authority of its
# own), and is stopped and removed when CMD ends, however it ends. CMD finds in its environment:
#   ISSUER_GATEWAY_TEST_POSTGRES_URL  a superuser's URL
#   ISSUER_GATEWAY_TEST_POSTGRES_CA   the certificate authority, for sslmode=verify-full
#   ISSUER_GATEWAY_TEST_PG_BIN        the folder of PostgreSQL's programs
#   ISSUER_GATEWAY_TEST_PG_GERMAN     a locale in which the server speaks German; unset where there is none
#   ISSUER_GATEWAY_TEST_PGBOUNCER     the program pgbouncer; unset where there is none
#   ISSUER_GATEWAY_TEST_SOFTHSM       SoftHSM's PKCS#11 module; unset where there is none
# WITH_POSTGRES_SETTINGS holds further settings for the server: "-c NAME=VALUE ..."
set -euo pipefail

die() { echo "with-postgres: $*" >&2; exit 1; }
[ $# -gt 0 ] || die "usage: with-postgres.sh CMD [ARG...]"

# The newest folder that holds both server programs.
find_bin() {
    local candidate
    {
        command -v initdb >/dev/null && dirname "$(command -v initdb)"
        command -v pg_config >/dev/null && pg_config --bindir
        ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin \
            /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin \
            /Applications/Postgres.app/Contents/Versions/*/bin 2>/dev/null | sort -rV
    } 2>/dev/null | while read -r candidate; do
        if [ -x "$candidate/initdb" ] && [ -x "$candidate/postgres" ]; then
            echo "$candidate"
            break
        fi
    done || true
}

bin=$(find_bin)
if [ -z "$bin" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "with-postgres: no PostgreSQL server found, installing it" >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql; } >&2
    bin=$(find_bin)
fi
[ -n "$bin" ] || die "PostgreSQL's server programs (initdb, postgres) are missing: install the package postgresql"
command -v openssl >/dev/null || die "openssl is missing"

# A pooler, a token, a debugger, and a language that is not English, for the tests that need them. They fail loudly without.
missing=()
find_softhsm() { { ls /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so /usr/local/lib/softhsm/libsofthsm2.so \
    /opt/homebrew/lib/softhsm/libsofthsm2.so 2>/dev/null || true; } | head -n 1; }
{ [ -n "$(find_softhsm)" ] && command -v softhsm2-util >/dev/null; } || missing+=(softhsm2)
command -v gcore >/dev/null || missing+=(gdb)
find_pgbouncer() { command -v pgbouncer || { [ -x /usr/sbin/pgbouncer ] && echo /usr/sbin/pgbouncer; } || true; }
[ -n "$(find_pgbouncer)" ] || missing+=(pgbouncer)
{ command -v localedef >/dev/null && [ -e /usr/share/i18n/locales/de_DE ]; } || missing+=(locales)
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "with-postgres: installing ${missing[*]}" >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}"; } >&2 ||
        echo "with-postgres: ${missing[*]} could not be installed: the tests that need them will fail" >&2
fi

# PostgreSQL refuses to run as root.
user=
if [ "$(id -u)" = 0 ]; then
    user=nobody
    id postgres >/dev/null 2>&1 && user=postgres
fi
as_owner() {
    if [ -z "$user" ]; then
        "$@"
    elif command -v runuser >/dev/null; then
        runuser -u "$user" -- "$@"
    else
        sudo -u "$user" -- "$@"
    fi
}

dir=$(mktemp -d /tmp/issuer-gateway-pg.XXXXXX)
server=
cleanup() {
    status=$?
    trap - EXIT INT TERM
    if [ -n "$server" ]; then
        # "immediate" keeps nothing: the folder goes anyway.
        as_owner "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true
    fi
    rm -rf "$dir"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if [ -n "$user" ]; then chown "$user" "$dir"; fi
chmod 755 "$dir"
cd "$dir"

as_owner "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C >"$dir/initdb.log" 2>&1 ||
    { cat "$dir/initdb.log" >&2; die "initdb failed"; }

# Beside the system's locales; PostgreSQL finds it by LOCPATH.
german=
mkdir -p "$dir/locale"
if localedef --no-archive -i de_DE -f UTF-8 "$dir/locale/de_DE.UTF-8" >"$dir/localedef.log" 2>&1; then
    german=de_DE.UTF-8
    chmod -R a+rX "$dir/locale"
    export LOCPATH="$dir/locale"
fi

# A certificate authority and the server's certificate, signed by it.
tls() { openssl "$@" 2>>"$dir/openssl.log" || { cat "$dir/openssl.log" >&2; die "openssl failed"; }; }
tls req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$dir/ca.key" -out "$dir/ca.crt" -subj "/CN=issuer-gateway test CA"
tls req -newkey rsa:2048 -nodes -keyout "$dir/server.key" -out "$dir/server.csr" -subj "/CN=localhost"
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$dir/san"
tls x509 -req -in "$dir/server.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -CAcreateserial -days 2 \
    -extfile "$dir/san" -out "$dir/server.crt"
rm -f "$dir/ca.key" "$dir/server.csr"
chmod 644 "$dir/ca.crt" "$dir/server.crt"
chmod 600 "$dir/server.key"
if [ -n "$user" ]; then chown "$user" "$dir/server.key"; fi

# Another process may take the port between our look and PostgreSQL's bind: then the next one is tried.
port=
for _ in 1 2 3 4 5 6 7 8 9 10; do
    candidate=$((20000 + (RANDOM * 32768 + RANDOM) % 40000))
    if (exec 3<>"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null; then continue; fi
    # -w waits until it accepts connections.
    if as_owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/server.log" -w -t 60 -o "\
        -c listen_addresses=127.0.0.1 -p $candidate -k $dir -c unix_socket_permissions=0700 -c max_connections=300 \
        -c ssl=on -c ssl_cert_file=$dir/server.crt -c ssl_key_file=$dir/server.key \
        -c fsync=on -c synchronous_commit=on -c lc_messages=C ${WITH_POSTGRES_SETTINGS:-}" start >"$dir/start.log" 2>&1; then
        port=$candidate
        server=yes
        break
    fi
done
if [ -z "$port" ]; then
    cat "$dir/start.log" "$dir/data/server.log" >&2 || true
    die "PostgreSQL did not start"
fi

export ISSUER_GATEWAY_TEST_POSTGRES_URL="postgresql://postgres@127.0.0.1:$port/postgres"
export ISSUER_GATEWAY_TEST_POSTGRES_CA="$dir/ca.crt"
export ISSUER_GATEWAY_TEST_PG_BIN="$bin"
unset LOCPATH
[ -z "$german" ] || export ISSUER_GATEWAY_TEST_PG_GERMAN="$german"
[ -z "$(find_pgbouncer)" ] || ISSUER_GATEWAY_TEST_PGBOUNCER=$(find_pgbouncer)
[ -z "${ISSUER_GATEWAY_TEST_PGBOUNCER:-}" ] || export ISSUER_GATEWAY_TEST_PGBOUNCER
[ -z "$(find_softhsm)" ] || ISSUER_GATEWAY_TEST_SOFTHSM=$(find_softhsm)
[ -z "${ISSUER_GATEWAY_TEST_SOFTHSM:-}" ] || export ISSUER_GATEWAY_TEST_SOFTHSM
# Servers under test listen on loopback, where no proxy helps.
NO_PROXY="${NO_PROXY:+$NO_PROXY,}127.0.0.1,localhost"
no_proxy="${no_proxy:+$no_proxy,}127.0.0.1,localhost"
export NO_PROXY no_proxy
cd "$OLDPWD"

# In the background, so that a signal reaches this script at once and the command through it.
set +e
"$@" <&0 &
child=$!
trap 'kill -INT "$child" 2>/dev/null; wait "$child"; exit 130' INT
trap 'kill -TERM "$child" 2>/dev/null; wait "$child"; exit 143' TERM
wait "$child"
exit $?
