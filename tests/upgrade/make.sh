#!/usr/bin/env bash
# Fills a database with what a former version of the program stores, for the test of upgrades (tests/cli/upgrade.rs):
#   tests/upgrade/make.sh BINARY VERSION       writes tests/upgrade/VERSION/{sqlite,postgres}.sql and facts.json
# BINARY is that version's program, VERSION its commit. The keys are those of tests/keys. Needs python3, curl and what
# scripts/with-postgres.sh needs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

if [ -z "${ISSUER_GATEWAY_TEST_POSTGRES_URL:-}" ]; then
    exec "$root/scripts/with-postgres.sh" "$0" "$@"
fi
binary=$(realpath "${1:?usage: tests/upgrade/make.sh BINARY VERSION}")
out=$here/${2:?usage: tests/upgrade/make.sh BINARY VERSION}
keys=$root/tests/keys
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
mkdir -p "$out"

key='demo!0123456789abcdef0123456789abcdef0123456789abcdef'
cat >"$work/issuers.toml" <<TOML
[[issuer]]
client_id = "demo"
name = "Demo Bank"
email = "cards@demo.example"
currency_code = "USD"
country_code = "USA"
country_name = "United States of America"
account_ranges = ["534403"]
donation = true
responses = "mirror"
[[issuer.signing]]
consumer_key = "$key"
certificate = "$keys/issuer-signing-cert.pem"
[[issuer.encryption]]
certificate = "$keys/issuer-encryption-cert.pem"
TOML

fill() {
    local url=$1 port gateway client card user
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    cat >"$work/gateway.toml" <<TOML
[server]
listen = "127.0.0.1:$port"
drain_delay_s = 0
[database]
url = "$url"
[vault]
kek_file = "$keys/kek.key"
[[keys.gateway]]
file = "$keys/gateway.pem"
certificate = "$keys/gateway-cert.pem"
state = "primary"
TOML
    gateway=("$binary" --config "$work/gateway.toml")
    "${gateway[@]}" issuer apply "$work/issuers.toml" >/dev/null
    app_key=$("${gateway[@]}" users app add shop 2>/dev/null)
    "${gateway[@]}" serve 2>"$work/log" &
    server=$!
    until curl --silent --fail "http://127.0.0.1:$port/health/ready" >/dev/null; do kill -0 "$server"; sleep 0.1; done
    client=(--base-url "http://127.0.0.1:$port" --consumer-key "$key" --signing-key "$keys/issuer-signing.pem"
        --gateway-certificate "$keys/gateway-cert.pem" --decryption-key "$keys/issuer-encryption.pem")
    users=()
    for card in 5344035555555556 5344030000000019; do
        sed "s/CARD/$card/" >"$work/card.json" <<'JSON'
{"email": {"type": "home", "value": "jane.sample@example.com"}, "name": {"firstName": "Jane", "lastName": "Sample"},
 "cardholderName": "Jane Sample", "cardNumber": "CARD", "cardBaseCurrency": "USD", "expiryInfo": {"month": "10", "year": "2039"},
 "billingAddress": {"countryCode": "USA", "type": "home", "postalCode": "11746", "city": "Brooklyn", "state": "New York",
 "line1": "83 Mayfair Street"}, "locale": "en-US"}
JSON
        user=$("$binary" client enrol "$work/card.json" "${client[@]}" 2>/dev/null |
            python3 -c 'import json, sys; print(json.load(sys.stdin)["userid"])')
        users+=("$user")
        "$binary" client transactions sample "$user" --until 2026-11-20 >"$work/year.json"
        "$binary" client transactions send "$work/year.json" "${client[@]}" >/dev/null 2>&1
    done
    "$binary" client update "${users[0]}" "${client[@]}" >/dev/null 2>&1
    curl --silent --fail -X POST "http://127.0.0.1:$port/users" -H "Authorization: Bearer $app_key" -H 'Content-Type: application/json' \
        -d '{"name": "tester", "email": "test@example.com", "user_id": "u1"}' >/dev/null
    "${gateway[@]}" vault rotate >/dev/null 2>&1
    kill "$server"
    wait "$server"
    server=
    "${gateway[@]}" vault verify >/dev/null 2>&1
    "${gateway[@]}" audit verify >/dev/null
}

facts() {
    python3 - "$app_key" "${users[@]}" <<'PY'
import json, sys
print(json.dumps({"app_key": sys.argv[1], "users": sys.argv[2:]}))
PY
}

fill "sqlite:$work/gateway.db"
facts >"$work/sqlite.json"
python3 - "$work/gateway.db" >"$out/sqlite.sql" <<'PY'
import sqlite3, sys
print("PRAGMA foreign_keys = OFF;")
for line in sqlite3.connect(sys.argv[1]).iterdump():
    print(line)
PY

PATH=$PATH:$ISSUER_GATEWAY_TEST_PG_BIN
psql -q "$ISSUER_GATEWAY_TEST_POSTGRES_URL" -c 'CREATE DATABASE filled'
filled=${ISSUER_GATEWAY_TEST_POSTGRES_URL%/*}/filled
fill "$filled"
facts >"$work/postgres.json"
# Without psql's own commands, so that any client can run it.
pg_dump --inserts --rows-per-insert=100 --no-owner --no-privileges "$filled" | sed -E '/^\\(un)?restrict/d; /^--( |$)/d' >"$out/postgres.sql"
python3 - "$work" >"$out/facts.json" <<'PY'
import json, sys
print(json.dumps({db: json.load(open(f"{sys.argv[1]}/{db}.json")) for db in ("sqlite", "postgres")}, indent=1))
PY
ls -l "$out"
