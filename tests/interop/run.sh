#!/usr/bin/env bash
# Mastercard's official Node, Python and Java clients, a generated client, schemathesis and a browser against a running issuer-gateway, and one with
# Intel's crypto_mb.
#   tests/interop/run.sh [BINARY]       BINARY defaults to target/release/issuer-gateway, then target/debug/issuer-gateway
#   SUITE=node,java tests/interop/run.sh   only these suites; `million` (make million) runs only when it is named
#   tests/interop/run.sh --self-test    only checks the suites' own tools, without a server
# Everything installed or written goes under target/interop or a temporary folder; the source tree stays clean.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/target/interop
ready_within=60 # seconds for the sandbox to make its keys and answer; a debug build needs a few

export INTEROP_NODE_DIR=$out/node
export PYTHONDONTWRITEBYTECODE=1

fail() {
  echo "interop: $*" >&2
  exit 1
}

chromium=/usr/bin/chromium

have_faketime() {
  compgen -G '/usr/lib/*-linux-gnu/faketime/libfaketimeMT.so.1' >/dev/null
}

have_tools() {
  have_faketime && command -v node >/dev/null && command -v npm >/dev/null && [ -x "$chromium" ] && command -v javac >/dev/null &&
    command -v mvn >/dev/null && python3 -c 'import ensurepip, venv' 2>/dev/null
}

need_tools() {
  if ! have_tools && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    # Only what is missing: a newer Node that is already there must not be mixed with Debian's npm.
    local packages=(python3 python3-venv)
    command -v node >/dev/null && command -v npm >/dev/null || packages+=(nodejs npm)
    [ -x "$chromium" ] || packages+=(chromium)
    have_faketime || packages+=(faketime)
    command -v javac >/dev/null || packages+=(default-jdk-headless)
    command -v mvn >/dev/null || packages+=(maven)
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
  fi
  have_tools || fail "needs node (18 or newer), npm, $chromium, a JDK (17 or newer), mvn, faketime and python3 (3.11 or newer) with venv; on Debian: apt-get install nodejs npm chromium faketime default-jdk-headless maven python3-venv"
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 18 ] || fail "needs Node 18 or newer, found $(node --version)"
}

# The stamps are written last, so that an interrupted installation is done again.
install_node() {
  cmp -s "$here/node/package-lock.json" "$out/node/.installed" && return
  mkdir -p "$out/node"
  cp "$here/node/package.json" "$here/node/package-lock.json" "$out/node/"
  (cd "$out/node" && npm ci --no-audit --no-fund --loglevel=error)
  cp "$here/node/package-lock.json" "$out/node/.installed"
}

install_python() {
  cat "$here"/{python,schemathesis,multi_buffer,clearing}/requirements.txt >"$out/requirements.txt"
  cmp -s "$out/requirements.txt" "$out/venv/.installed" && return
  python3 -m venv --clear "$out/venv"
  "$out/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/schemathesis/requirements.txt" \
    -r "$here/multi_buffer/requirements.txt" -r "$here/clearing/requirements.txt" # the first includes python's
  cp "$out/requirements.txt" "$out/venv/.installed"
}

server=
work=
stop() {
  if [ -n "$server" ] && kill -0 "$server" 2>/dev/null; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  [ -z "$work" ] || rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_sandbox() {
  local port
  port=$(free_port)
  "$binary" sandbox --dir "$work/sandbox" --port "$port" >"$out/server.log" 2>&1 &
  server=$!
  # Waits for the condition itself, not for a guess at how long it takes; gives up when the server is gone or time is.
  python3 - "$port" "$server" "$ready_within" <<'PY' || { tail -n 40 "$out/server.log" >&2; fail "the sandbox did not become ready"; }
import os, sys, time, urllib.request

port, server, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
deadline = time.monotonic() + seconds
while time.monotonic() < deadline:
    try:
        os.kill(server, 0)
    except ProcessLookupError:
        sys.exit("the server ended")
    try:
        with opener.open(f"http://127.0.0.1:{port}/health/ready", timeout=2) as answer:
            sys.exit(0 if answer.status == 200 else 1)
    except OSError:
        time.sleep(0.1)
sys.exit("no answer from /health/ready")
PY
  [ -f "$work/sandbox/sandbox.json" ] || fail "the sandbox wrote no sandbox.json"
}

# Runs one suite; a suite that ends without leaving its counts has crashed, which is one failure.
suite() {
  local name=$1 counts
  shift
  [[ -z ${SUITE:-} || ",$SUITE," == *",$name,"* ]] || return 0
  echo
  echo "== $name"
  INTEROP_RESULT=$work/$name.counts "$@" || status=1
  counts=$(cat "$work/$name.counts" 2>/dev/null || echo "0 1")
  passed=$((passed + ${counts% *}))
  failed=$((failed + ${counts#* }))
}

need_tools
mkdir -p "$out"
install_node
install_python
python3 "$here/java/run.py"

if [ "${1:-}" = --self-test ]; then
  node "$here/node/selftest.mjs"
  "$out/venv/bin/python" "$here/python/selftest.py"
  exit
fi

binary=${1:-}
for candidate in "$root/target/release/issuer-gateway" "$root/target/debug/issuer-gateway"; do
  if [ -z "$binary" ] && [ -x "$candidate" ]; then binary=$candidate; fi
done
[ -n "$binary" ] && [ -x "$binary" ] || fail "no issuer-gateway binary: build it, or name it as the first argument"

# The states of the web view as files, which `make interop` has the unit tests write.
preview=$out/preview
[ -d "$preview" ] || fail "no $preview: DASHBOARD_PREVIEW=$preview cargo test --lib preview"

work=$(mktemp -d)
start_sandbox

passed=0
failed=0
status=0
suite node node "$here/node/main.mjs" "$work/sandbox/sandbox.json"
suite python "$out/venv/bin/python" "$here/python/run.py" "$work/sandbox/sandbox.json"
suite java python3 "$here/java/run.py" "$work/sandbox/sandbox.json" "$work"
suite schemathesis "$out/venv/bin/python" "$here/schemathesis/run.py" "$work/sandbox/sandbox.json"
suite clearing "$out/venv/bin/python" "$here/clearing/run.py" "$binary" "$work/sandbox" "$work"
suite browser env INTEROP_CHROMIUM="$chromium" node "$here/browser/main.mjs" "$work/sandbox/sandbox.json"
suite states env INTEROP_CHROMIUM="$chromium" node "$here/browser/states.mjs" "$preview"
suite dashboard_sqlite env INTEROP_CHROMIUM="$chromium" node "$here/browser/dashboard.mjs" sqlite "$binary" "$work/view-sqlite"
suite dashboard_postgres env INTEROP_CHROMIUM="$chromium" "$root/scripts/with-postgres.sh" \
  node "$here/browser/dashboard.mjs" postgres "$binary" "$work/view-postgres"
# A quarter of an hour: when it is named.
[[ -z ${SUITE:-} ]] || suite million "$out/venv/bin/python" "$here/clearing/million.py" "$binary" "$work/sandbox" "$work"
suite console env INTEROP_CHROMIUM="$chromium" node "$here/browser/console.mjs" "$work/sandbox/sandbox.json" "$binary"
suite snippets python3 "$here/snippets/run.py" "$work/sandbox/sandbox.json" "$work"
suite helpers python3 "$here/helpers/run.py" "$binary" "$work"
suite multi_buffer python3 "$here/multi_buffer/run.py" "$binary" "$out/venv/lib" "$work"

if ! kill -0 "$server" 2>/dev/null; then
  echo "the server died on the way; its last words are in target/interop/server.log"
  failed=$((failed + 1))
fi
echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$status" -eq 0 ]
