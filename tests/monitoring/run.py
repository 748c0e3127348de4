#!/usr/bin/env python3
"""Provokes the fault of each alert in a running gateway, and lets Prometheus' rules decide on what was scraped:

    tests/monitoring/run.py BINARY [ALERT ...]

Needs PostgreSQL (scripts/with-postgres.sh starts one), promtool, libfaketime, python3-cryptography and a C compiler:
`make alerts-test` has all of them. Each alert of deploy/prometheus/alerts.yaml is provoked here or listed below.
"""

import pathlib
import re
import sys
import tempfile

from node import Installation
from rules import evaluate
from scenarios import REPOSITORY, SCENARIOS

RULES = REPOSITORY / "deploy/prometheus/alerts.yaml"

# Alerts whose fault nothing from outside causes, and what tests them instead. The rule itself: alerts_test.yaml.
NOT_PROVOKED = {
    "IssuerGatewayJobHopeless": "no input makes a job panic; tests/http/housekeeping.rs lets one panic and reads the metrics",
    "IssuerGatewayJobPanicked": "the same",
}


def expressions():
    """The rule of each alert."""
    text = RULES.read_text()
    return {name: rest for name, rest in re.findall(r"- alert: (\w+)\n(.*?)(?=\n      - alert:|\Z)", text, re.S)}


def main():
    binary, wanted = pathlib.Path(sys.argv[1]).resolve(), set(sys.argv[2:])
    rules = expressions()
    provoked = [alert for _, alerts in SCENARIOS for alert in alerts]
    assert len(set(provoked)) == len(provoked) and not set(NOT_PROVOKED) & set(provoked)
    if unknown := set(rules) ^ {*provoked, *NOT_PROVOKED}:
        sys.exit(f"alerts: neither provoked nor listed, or not there: {', '.join(sorted(unknown))}")

    failed = 0
    with tempfile.TemporaryDirectory(prefix="alerts.") as folder:
        folder = pathlib.Path(folder)
        installation = Installation(binary, folder)
        for scenario, alerts in SCENARIOS:
            if wanted and not wanted & set(alerts):
                continue
            *pages, goes_on = scenario(installation)
            for alert in alerts:
                wrong = evaluate(RULES, alert, rules[alert], pages, goes_on, folder)
                print(f"{'FAILED' if wrong else 'ok'}: {alert}: {scenario.__name__.replace('_', ' ')}", flush=True)
                if wrong:
                    failed += 1
                    print(wrong)
    for alert, why in NOT_PROVOKED.items():
        print(f"not provoked: {alert}: {why}")
    sys.exit(failed > 0)


main()
