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

# A panic is a fault of the program, which has no way to ask for one: tests/http/housekeeping.rs lets a job panic.
NOT_PROVOKED = {"IssuerGatewayJobHopeless", "IssuerGatewayJobPanicked"}


def expressions():
    """The rule of each alert."""
    text = RULES.read_text()
    return {name: rest for name, rest in re.findall(r"- alert: (\w+)\n(.*?)(?=\n      - alert:|\Z)", text, re.S)}


def main():
    binary, wanted = pathlib.Path(sys.argv[1]).resolve(), set(sys.argv[2:])
    rules = expressions()
    provoked = [alert for _, alerts in SCENARIOS for alert in alerts]
    assert len(set(provoked)) == len(provoked) and not NOT_PROVOKED & set(provoked)
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
    print(f"alerts: {len(provoked)} provoked, {len(NOT_PROVOKED)} not: {', '.join(sorted(NOT_PROVOKED))}")
    sys.exit(failed > 0)


main()
