"""Holds a running sandbox to its own OpenAPI document: `run.py <sandbox.json>`, started by ../run.sh.

Each run generates requests from the document, good ones and bad ones, and checks the answers: no 5xx, no status, media
type, header or body that the document lacks, bad requests refused, good ones taken, missing signatures refused. One operation in one
run is one case.
"""

import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLES = "40"  # of each operation and phase
SECONDS = 300  # for one run; it takes some thirty
SEED = "20260101"
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
]
ACCEPTED = ["positive_data_acceptance"]  # only where what a schema cannot say has been put right
# An item that breaks a rule fails alone: the call is answered 200, and the item's outcome names field and rule.
BATCH = [check for check in CHECKS if check != "negative_data_rejection"] + ACCEPTED
# Who calls (see hooks.py), under which mount, which paths, and what is checked.
RUNS = [
    ("nobody", "", ".*", CHECKS),
    ("signer", "", ".*", CHECKS),
    ("issuer", "", "^/issuers(?!/transactions)", CHECKS + ACCEPTED),
    ("issuer", "/cts", "^/issuers(?!/transactions)", CHECKS + ACCEPTED),
    ("issuer", "", "^/issuers/transactions", BATCH),
]


def run(sandbox, base_url, caller, mount, paths, checks, report):
    """One schemathesis run; leaves a JUnit report."""
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        *("--config-file", str(HERE / "schemathesis.toml")),
        *("run", f"{base_url}/openapi.json", "--url", base_url + mount, "--include-path-regex", paths),
        *("--checks", ",".join(checks), "--phases", "examples,coverage,fuzzing"),
        *("--max-examples", EXAMPLES, "--seed", SEED, "--request-timeout", "30", "--continue-on-failure"),
        *("--report", "junit", "--report-junit-path", str(report)),
    ]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
        "INTEROP_SANDBOX": sandbox,
        "INTEROP_CALLER": caller,
        "NO_PROXY": "127.0.0.1",
    }
    subprocess.run(command, env=environment, cwd=report.parent, timeout=SECONDS, check=False)


def count(report):
    """Cases passed and failed, out of a JUnit report."""
    cases = list(ElementTree.parse(report).iter("testcase"))
    failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    return len(cases) - failed, failed


def main():
    sandbox = str(Path(sys.argv[1]).resolve())
    base_url = json.loads(Path(sandbox).read_text())["base_url"]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (caller, mount, paths, checks) in enumerate(RUNS):
            print(f"\n# called by {caller} at {mount or 'the root'}", flush=True)
            report = Path(folder) / f"{number}.xml"
            try:
                run(sandbox, base_url, caller, mount, paths, checks, report)
                good, bad = count(report)
            except (subprocess.TimeoutExpired, OSError, ElementTree.ParseError) as error:
                print(f"the run did not finish: {error}")
                good, bad = 0, 1
            # A run that tested nothing has not passed.
            passed, failed = passed + good, failed + (bad if good + bad else 1)
    print(f"schemathesis: {passed} passed, {failed} failed")
    if "INTEROP_RESULT" in os.environ:
        Path(os.environ["INTEROP_RESULT"]).write_text(f"{passed} {failed}\n")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
