#!/usr/bin/env bash
# Provokes the fault of each alert: tests/monitoring/run.sh BINARY [ALERT ...]. Installs what tests/monitoring/run.py needs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

missing=()
command -v promtool >/dev/null || missing+=(prometheus)
compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || missing+=(libfaketime)
if [ ${#missing[@]} -gt 0 ]; then
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "alerts: install ${missing[*]}" >&2; exit 1; }
    echo "alerts: installing ${missing[*]}" >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >&2
fi
python=python3
if ! python3 -c 'import cryptography' 2>/dev/null; then
    venv=$root/target/alerts/venv
    python=$venv/bin/python
    [ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
    "$python" -c 'import cryptography' 2>/dev/null ||
        "$venv/bin/pip" install --quiet --disable-pip-version-check cryptography==48.0.0
fi

PYTHONDONTWRITEBYTECODE=1 WITH_POSTGRES_SETTINGS="-c fsync=off" exec "$root/scripts/with-postgres.sh" "$python" "$here/run.py" "$@"
