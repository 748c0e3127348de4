"""A million lines of CSV and a million IPM messages, imported twice: `million.py <binary> <sandbox folder> <work folder>`.

Started by ../run.sh for `make million`. Two sets of cardholders get 1,000,000 purchases each, one from a CSV file and one from a
clearing file of cardutil. Each first import is killed (SIGKILL) half way and run again; the second import must store nothing, and
the cardholders' aggregates must stay what it was. MILLION=N takes another count of lines.
"""

import csv
import datetime
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from cardholders import card_number, count, enrolment

ROOT = pathlib.Path(__file__).resolve().parents[3]
MAKE = ROOT / "tests" / "ipm" / "make.py"
LINES = int(os.environ.get("MILLION", "1000000"))
HOLDERS = 1000  # of each file: a thousand purchases each
ASKED = 200  # of each file: cardholders whose aggregates are compared

binary, sandbox, work = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
passed, failed = 0, 0


def check(name, right, told=""):
    global passed, failed
    passed, failed = passed + bool(right), failed + (not right)
    print(f"{'ok  ' if right else 'FAIL'} {name}" + ("" if right else f"\n{told}"), flush=True)


def run(*arguments, given=None):
    told = subprocess.run([binary, *arguments], input=given, capture_output=True, text=True)
    return told.returncode, told.stdout, told.stderr


def enrol(card, number):
    sample = enrolment(card, f"million{number}@example.com")
    code, told, errors = run("client", "enrol", "--sandbox", str(sandbox / "sandbox.json"), "-", given=json.dumps(sample))
    assert code == 0, errors
    return re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", told).group()


def write_csv(path, cards, chance):
    first = datetime.date.today() - datetime.timedelta(days=300)
    days = [(first + datetime.timedelta(days=day)).isoformat() for day in range(300)]
    with open(path, "w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["transactionId", "cardNumber", "mcc", "amountValue", "amountCurrencyCode", "date"])
        for number in range(LINES):
            mcc = chance.choice(("5411", "5812", "5541", "4511", "0763"))
            amount = f"{chance.randrange(100, 90_000) / 100:.2f}"
            lines.writerow([f"m{number}", chance.choice(cards), mcc, amount, chance.choice(("EUR", "SEK", "USD")), chance.choice(days)])


def scores(ids):
    """The aggregates of some of these cardholders, as the API answers them."""
    def score(user_id):
        code, told, errors = run("client", "score", user_id, "--sandbox", str(sandbox / "sandbox.json"))
        assert code == 0, errors
        return told

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(score, ids[:ASKED]))


def share(told):
    """How much of the file has been read, by the last line that says so."""
    lines = re.findall(r"(\d+) of (\d+) bytes", told)
    return int(lines[-1][0]) / int(lines[-1][1]) if lines else 0.0


def imported(path, kind):
    """The first import: killed on its way, then run to its end."""
    arguments = [binary, "--config", str(sandbox / "gateway.toml"), "transactions", "import", str(path)]
    with open(work / "progress", "w+") as said:
        first = subprocess.Popen(arguments, stdout=said, stderr=subprocess.STDOUT)
        # Each tenth is a line.
        while first.poll() is None and share(pathlib.Path(said.name).read_text()) < 0.4:
            time.sleep(0.05)
        check(f"{kind}: the first import is killed on its way", first.poll() is None, pathlib.Path(said.name).read_text())
        first.send_signal(signal.SIGKILL)
        first.wait()
    began = time.monotonic()
    code, told, errors = run(*arguments[1:])
    took = time.monotonic() - began
    check(f"{kind}: run again it ends", code == 0, told + errors)
    print(f"     {took:.1f} s for the rest\n" + "".join(f"     {line}\n" for line in told.splitlines()), flush=True)
    return told


def twice(path, kind, ids):
    imported(path, kind)
    before = scores(ids)
    began = time.monotonic()
    code, told, errors = run("--config", str(sandbox / "gateway.toml"), "transactions", "import", str(path))
    print(f"     the second import took {time.monotonic() - began:.1f} s", flush=True)
    check(f"{kind}: the second import stores nothing", (code, count(told, "stored before")) == (0, LINES), told + errors)
    check(f"{kind}: the aggregates stay the same", scores(ids) == before)
    check(f"{kind}: no two cardholders have the same", len(set(before)) == ASKED)


chance = random.Random(11)
holders = {"CSV": [card_number(chance) for _ in range(HOLDERS)], "IPM": [card_number(chance) for _ in range(HOLDERS)]}
with ThreadPoolExecutor(4) as pool:
    ids = {kind: list(pool.map(enrol, cards, (f"{kind}{n}" for n in range(HOLDERS)))) for kind, cards in holders.items()}
check("the cardholders are enrolled", all(len(set(found)) == HOLDERS for found in ids.values()))

write_csv(work / "million.csv", holders["CSV"], chance)
twice(work / "million.csv", "CSV", ids["CSV"])
cards = [argument for card in holders["IPM"] for argument in ("--card", card)]
subprocess.run([sys.executable, MAKE, work, "--count", str(LINES), *cards], check=True)
twice(work / "many.ipm", "IPM", ids["IPM"])

pathlib.Path(os.environ["INTEROP_RESULT"]).write_text(f"{passed} {failed}")
sys.exit(1 if failed else 0)
