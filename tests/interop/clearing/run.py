"""Clearing files made by cardutil: `run.py <binary> <sandbox folder> <work folder>`, started by ../run.sh.

The committed files of tests/ipm are what cardutil makes today; and a file with the card of a cardholder who is enrolled
in the sandbox is imported twice, in both texts, while the sandbox serves: everything counts once.
"""

import filecmp
import json
import os
import pathlib
import random
import subprocess
import sys

from cardholders import card_number, count, enrolment

ROOT = pathlib.Path(__file__).resolve().parents[3]
MAKE = ROOT / "tests" / "ipm" / "make.py"
FILES = ["ebcdic.ipm", "ebcdic_blocked.ipm", "latin1.ipm", "latin1_blocked.ipm", "expected.txt"]
COUNT = 500

binary, sandbox, work = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
passed, failed = 0, 0


def check(name, right, told=""):
    global passed, failed
    passed, failed = passed + bool(right), failed + (not right)
    print(f"{'ok  ' if right else 'FAIL'} {name}" + ("" if right else f"\n{told}"))


def make(*arguments):
    subprocess.run([sys.executable, MAKE, work, *arguments], check=True)


def run(*arguments, given=None):
    told = subprocess.run([binary, *arguments], input=given, capture_output=True, text=True)
    return told.returncode, told.stdout, told.stderr


make()
same, different, missing = filecmp.cmpfiles(work, ROOT / "tests" / "ipm", FILES, shallow=False)
check("the committed files are what cardutil makes", len(same) == len(FILES), f"{different} {missing}")

card = card_number(random)
sample = enrolment(card, "jane.sample@example.com")
code, _, errors = run("client", "enrol", "--sandbox", str(sandbox / "sandbox.json"), "-", given=json.dumps(sample))
check("a cardholder is enrolled", code == 0, errors)

importing = ("--config", str(sandbox / "gateway.toml"), "transactions", "import", str(work / "many.ipm"))
make("--count", str(COUNT), "--card", card)
code, told, errors = run(*importing, "--dry-run")
check("a dry run says what an import would do", (code, count(told, "stored and scored")) == (0, COUNT), told + errors)
code, told, errors = run(*importing)
check("an EBCDIC file is imported", (code, count(told, "stored and scored")) == (0, COUNT), told + errors)
code, told, errors = run(*importing)
check("it counts once", (code, count(told, "stored before")) == (0, COUNT), told + errors)
make("--count", str(COUNT), "--card", card, "--latin1")
code, told, errors = run(*importing)
check("also in Latin-1", (code, count(told, "stored before")) == (0, COUNT), told + errors)
check("no card number is told", card not in told + errors)

pathlib.Path(os.environ["INTEROP_RESULT"]).write_text(f"{passed} {failed}")
sys.exit(1 if failed else 0)
