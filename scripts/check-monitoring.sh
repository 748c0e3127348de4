#!/usr/bin/env bash
# The alert rules under deploy/prometheus: promtool reads them, and makes each of them fire and not fire.
set -euo pipefail
cd "$(dirname "$0")/../deploy/prometheus"

if ! command -v promtool >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "check-monitoring: installing prometheus, for promtool" >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus; } >&2
fi
command -v promtool >/dev/null || { echo "check-monitoring: promtool is missing: install the package prometheus" >&2; exit 1; }

promtool check rules --lint=all --lint-fatal alerts.yaml
promtool test rules alerts_test.yaml

# Every alert has both of its cases, and its line in the handbook.
for alert in $(sed -n 's/^ *- alert: //p' alerts.yaml); do
    grep -q "name: $alert fires$" alerts_test.yaml && grep -q "name: $alert does not fire$" alerts_test.yaml ||
        { echo "check-monitoring: $alert has no test" >&2; exit 1; }
    grep -q "$alert" ../../docs/operations.md || { echo "check-monitoring: docs/operations.md does not know $alert" >&2; exit 1; }
done
