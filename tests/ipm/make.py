#!/usr/bin/env python3
"""Makes the clearing files of this folder with cardutil (PyPI), an encoder that knows nothing of ours.

    make.py FOLDER              writes the four files and expected.txt into FOLDER
    make.py FOLDER --count N [--card NUMBER]... [--latin1]
                                writes one file of N purchases of the last 300 days, many.ipm, and nothing else:
                                EBCDIC and blocked, or Latin-1 and not blocked

expected.txt says, in a second implementation of docs/operations.md, what the reader must make of every
message. `make interop` makes the files again and compares them with the committed ones.
"""

import argparse
import csv
import datetime
import hashlib
import pathlib
import random
import struct
from decimal import ROUND_HALF_EVEN, Decimal

from cardutil import mciipm

ROOT = pathlib.Path(__file__).resolve().parents[2]
CURRENCIES = {row["numeric"]: row for row in csv.DictReader(open(ROOT / "data" / "currencies.csv", encoding="utf-8"))}
CARDS = ["5344035555555557", "5344035555555565", "5344035555555573"]
SHOPS = [
    ("ICA MAXI", "STORGATAN 1", "LUND", "22100", "", "SWE", 5411),
    ("Café Zürich", "Bahnhofstr. 3", "Zürich", "8001", "ZH", "CHE", 5812),
    ("SHELL 0042", "HAUPTSTRASSE 9", "WIEN", "1010", "", "AUT", 5541),
    ("A NAME OF MORE THAN TWENTY-FIVE LETTERS", "MAIN ST", "OMAHA", "68102", "NE", "USA", 763),
]


def purchase(number, chance, first=datetime.datetime(2026, 1, 1), days=90):
    name, street, city, code, state, country, mcc = SHOPS[number % len(SHOPS)]
    return {
        "MTI": "1240",
        "DE2": CARDS[number % len(CARDS)],
        "DE3": "000000",
        "DE4": chance.randrange(100, 1_000_000),
        "DE12": first + datetime.timedelta(minutes=chance.randrange(days * 1440)),
        "DE22": "510101510340",
        "DE24": "200",
        "DE26": mcc,
        "DE31": f"{number:023d}",
        "DE38": "123456",
        "DE42": "MERCHANT0000001",
        "DE43": f"{name}\\{street}\\{city}\\{code:<10}{state:<3}{country}",
        "DE49": "978",
        "DE55": struct.pack("12B", *chance.randbytes(12)),
        "DE63": f"MDS{number:013d}",
        "DE71": number + 2,
        "DE94": "00000001234",
        "PDS0023": "CT6",
        "PDS0158": "ABC 1234567890",
    }


def messages():
    """Messages with what they are: a word for those that are passed over, None for transactions."""
    chance = random.Random(20261127)
    yield {"MTI": "1644", "DE24": "697", "DE71": 1, "PDS0105": "0022601010000000000100001"}, "Administration"
    variants = [
        {},
        {"DE49": "752"},
        {"DE49": "392"},
        {"DE49": "414", "DE4": 12345},
        {"DE49": "752", "DE6": 4999, "DE51": "978", "DE5": 5444, "DE50": "840"},
        {"DE49": "999", "DE6": 4999, "DE51": "978"},
        {"DE3": "200000"},
        {"DE3": "093000", "DE4": 5000, "DE54": "0040978D000000002000"},
        {"DE3": "093000", "DE4": 10000, "DE49": "752", "DE6": 1001, "DE51": "978", "DE54": "0040752D000000002500"},
        {"PDS0025": "R260117"},
        {"DE3": "200000", "PDS0025": "R260117"},
        {"MTI": "1442", "DE24": "450", "DE25": "4853"},
        {"MTI": "1442", "DE24": "450", "DE25": "4853", "PDS0025": "R"},
        {"DE24": "205"},
        {"DE24": "282"},
        {"DE3": "010000", "DE26": 6011},
        {"DE3": "120000", "DE26": 6010},
        {"DE3": "280000"},
        # Long enough for more than one block, and for the PDS to fill two elements.
        {"PDS0501": "x" * 600, "PDS0502": "y" * 600, "DE72": "z" * 900},
        {"DE49": "392", "DE4": 150000, "PDS0148": "39229782"},
    ]
    number = 0
    for _ in range(3):
        for variant in variants:
            yield purchase(number, chance) | variant, None
            number += 1
    yield {"MTI": "1740", "DE2": CARDS[0], "DE3": "190000", "DE24": "700"}, "Administration"
    yield purchase(number, chance) | {"DE24": "999"}, "Unknown"
    yield purchase(number, chance) | {"DE3": "770000"}, "Unknown"
    yield {"MTI": "1604", "DE24": "200"}, "Unknown"
    yield purchase(number, chance) | {"DE2": "6759649826438453001"}, "OtherCard"
    yield {"MTI": "1644", "DE24": "695", "DE71": 99}, "Administration"


def money(units, places, currency, down):
    value = Decimal(units).scaleb(-places)
    shown = value.quantize(Decimal(1).scaleb(-int(currency["minor_unit"])))
    return f"{'-' if down and units else ''}{shown} {currency['alpha']}"


def source_id(message, reversal):
    def text(number, width=0):
        value = message.get(f"DE{number}", "")
        return f"{value:0{width}d}" if isinstance(value, int) else value

    parts = ["issuer-gateway ipm 1", text(31), message["MTI"], text(24), text(3), text(4, 12), text(49)]
    parts += ["R" if reversal else "", message["DE2"][-4:]]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(struct.pack(">I", len(part)) + part.encode())
    return "ipm:" + digest.hexdigest()


def told(message):
    """What the reader must make of a transaction."""
    reversal = message.get("PDS0025", "").startswith("R")
    down = (message["DE3"][:2] == "20") ^ (message["MTI"] == "1442") ^ reversal
    exponents = {message["PDS0148"][at : at + 3]: int(message["PDS0148"][at + 3]) for at in range(0, len(message.get("PDS0148", "")), 4)}
    total, bought = message["DE4"], message["DE4"] - int(message.get("DE54", "0")[-12:])
    amounts = []
    for amount, code in ((4, 49), (6, 51), (5, 50)):
        currency = CURRENCIES.get(message.get(f"DE{code}"))
        if currency:
            units = Decimal(message[f"DE{amount}"]) * bought / total
            units = int(units.quantize(Decimal(1), ROUND_HALF_EVEN))
            places = exponents.get(currency["numeric"], int(currency["minor_unit"]))
            amounts.append(money(units, places, currency, down))
    kind = "Reversal" if reversal else "Refund" if down else "Purchase"
    place = message["DE43"]
    name = place.split("\\")[0][:25].strip()
    line = f"{message['DE2']} {message['DE26']:04d} {amounts[0]} {message['DE12'].date()} {kind} {place[-3:]} {name}"
    line += "".join(f" or {other}" for other in amounts[1:])
    line += {"01": " Cash", "12": " Cash", "28": " Transfer"}.get(message["DE3"][:2], "")
    line += f" {source_id(message, reversal)}"
    if reversal:
        line += f" of {source_id(message, False)}"
    return line


def write(path, records, encoding, blocked):
    with open(path, "wb") as file:
        writer = mciipm.IpmWriter(file, encoding=encoding, blocked=blocked)
        for record in records:
            writer.write(dict(record))  # cardutil adds elements to it
        writer.close()


def many(count, cards):
    chance = random.Random(7)
    first = datetime.datetime.combine(datetime.date.today(), datetime.time()) - datetime.timedelta(days=300)
    for number in range(count):
        yield purchase(number, chance, first, 300) | ({"DE2": chance.choice(cards)} if cards else {})


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--count", type=int)
    arguments.add_argument("--card", action="append")
    arguments.add_argument("--latin1", action="store_true")
    given = arguments.parse_args()
    folder = given.folder
    if given.count:
        encoding = "latin_1" if given.latin1 else "cp500"
        write(folder / "many.ipm", many(given.count, given.card), encoding, not given.latin1)
        return
    made = list(messages())
    for encoding, text in (("cp500", "ebcdic"), ("latin_1", "latin1")):
        for blocked, suffix in ((True, "_blocked"), (False, "")):
            write(folder / f"{text}{suffix}.ipm", [message for message, _ in made], encoding, blocked)
    lines = [f"{number} {word or told(message)}\n" for number, (message, word) in enumerate(made, 1)]
    (folder / "expected.txt").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
