"""The Python half of the interoperability suite: `run.py <sandbox.json>`, started by ../run.sh."""

import os
import sys
import unittest
from pathlib import Path


class Counting(unittest.TextTestResult):
    """Counts a failing subtest as a failure and the test it belongs to as not passed."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def main():
    os.environ["INTEROP_SANDBOX"] = sys.argv[1]
    suite = unittest.defaultTestLoader.discover(str(Path(__file__).parent), pattern="test_*.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Counting).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"python: {result.passed} passed, {failed} failed")
    if "INTEROP_RESULT" in os.environ:
        Path(os.environ["INTEROP_RESULT"]).write_text(f"{result.passed} {failed}\n")
    return 0 if failed == 0 and result.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
