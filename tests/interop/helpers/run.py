"""The helpers of examples/sandbox, by their own tests: `run.py <issuer-gateway> <work folder>`, started by ../run.sh.

The one for Rust is run by tests/cli/console.rs.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "sandbox"
SUITES = {
    # Command, and what says how many tests have passed.
    "node": (["node", "--test", "--test-reporter=tap"], r"^# pass (\d+)$"),
    "python": ([sys.executable, "-m", "unittest", "-v"], r"^Ran (\d+) tests?"),
}


def main():
    env = {**os.environ, "ISSUER_GATEWAY": str(Path(sys.argv[1]).resolve())}
    passed = failed = 0
    for name, (command, count) in SUITES.items():
        done = subprocess.run(command, cwd=EXAMPLES / name, env=env, capture_output=True, text=True)
        output = done.stdout + done.stderr
        found = re.search(count, output, re.MULTILINE)
        tests = int(found.group(1)) if found else 0
        if done.returncode == 0 and tests > 0:
            passed += tests
            print(f"ok    {name}: {tests} tests")
        else:
            failed += 1
            print(f"FAIL  {name}\n{output[-4000:]}")
    print(f"helpers: {passed} passed, {failed} failed")
    if "INTEROP_RESULT" in os.environ:
        Path(os.environ["INTEROP_RESULT"]).write_text(f"{passed} {failed}\n")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
