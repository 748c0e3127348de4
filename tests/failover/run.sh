#!/usr/bin/env bash
# A failover of PostgreSQL under load: Patroni (three nodes, etcd), haproxy and two gateways on loopback.
#   tests/failover/run.sh [BINARY]       BINARY defaults to target/debug/issuer-gateway
# Everything is in a temporary folder, which goes at the end; KEEP=1 leaves it there, with all logs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
binary=$(realpath "${1:-$root/target/debug/issuer-gateway}")
python=$root/target/failover/venv
requirements=$root/tests/interop/python/requirements.txt

fail() { echo "failover: $*" >&2; exit 1; }
[ -x "$binary" ] || fail "no issuer-gateway binary: build it, or name it as the first argument"

find_bin() { { ls -d /usr/lib/postgresql/*/bin 2>/dev/null || true; } | sort -rV | head -n 1; }
have_tools() {
    command -v patroni && command -v etcd && command -v haproxy && [ -x "$(find_bin)/pg_rewind" ] &&
        python3 -c 'import ensurepip, venv'
} >/dev/null 2>&1
packages=(patroni python3-etcd etcd-server haproxy postgresql python3-venv)
PATH=$PATH:/usr/sbin
if ! have_tools && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "failover: installing ${packages[*]}" >&2
    # RUNLEVEL keeps the packages' own services from starting.
    { apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >&2
fi
have_tools || fail "needs patroni, etcd, haproxy, PostgreSQL and python3 with venv; on Debian: apt-get install ${packages[*]}"

if ! cmp -s "$requirements" "$python/.installed"; then
    python3 -m venv --clear "$python"
    "$python/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
    cp "$requirements" "$python/.installed"
fi

work=$(mktemp -d /tmp/issuer-gateway-failover.XXXXXX)
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$root/tests/interop/python
"$python/bin/python" "$here/failover.py" "$binary" "$(find_bin)" "$work"
