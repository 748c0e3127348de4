#!/usr/bin/env python3
"""A second scorer, written from docs/footprint.md and data/README.md alone, in exact fractions.

    scorer.py DATA check EXAMPLES.csv      compares with worked examples; exit status 1 if one differs
    scorer.py DATA random COUNT SEED       writes made-up purchases with their scores as CSV
    scorer.py DATA recompute               makes regional_factors.csv again from what it was computed from

DATA is the folder with the CSV files. `--append FOLDER` before the command adds the rows of the files in
FOLDER (same names and formats) as an operator's. Standard library only.
"""

import csv
import datetime
import pathlib
import random
import sys
from fractions import Fraction

CARRIERS = ("petrol", "diesel", "natural_gas", "electricity")
FIELDS = ("mcc", "amount", "currency", "date", "country", "status", "g_co2e", "g_co2", "table", "confidence", "area", "stale", "eur_cents")


def read(folder, name):
    path = pathlib.Path(folder, name)
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def half_even(value):
    """To a whole number. Python's round() of a Fraction is exact, half to even."""
    return round(value)


def hundredths(number):
    sign = "-" if number < 0 else ""
    return f"{sign}{abs(number) // 100}.{abs(number) % 100:02d}"


def at_or_before(series, wanted):
    """The latest row not after `wanted`; before the first row, the first."""
    best = None
    for key in sorted(series):
        if key <= wanted or best is None:
            best = key
    return best, series[best]


class Scorer:
    def __init__(self, data, appended=None):
        def rows(name):
            return read(data, name) + (read(appended, name) if appended else [])

        self.factors = {r["naics"]: (Fraction(r["kg_co2e_per_usd"]), Fraction(r["kg_co2_per_usd"])) for r in rows("emission_factors.csv")}
        self.multipliers = {r["naics"]: Fraction(r["multiplier"]) for r in rows("adjustments.csv")}
        self.regional = {}
        for r in rows("regional_factors.csv"):
            self.regional.setdefault(r["country"], {})[r["naics"]] = (Fraction(r["kg_co2e_per_eur"]), Fraction(r["kg_co2_per_eur"]))
        self.mccs = {}
        self.ranges = []
        for r in rows("mcc.csv"):
            self.ranges.append((int(r["mcc_from"]), int(r["mcc_to"]), r))
            for code in range(int(r["mcc_from"]), int(r["mcc_to"]) + 1):
                self.mccs[code] = r
        self.areas = {r["area"]: r["code"] for r in rows("areas.csv")}
        self.carriers = {r["carrier"]: r for r in rows("carriers.csv")}
        self.rates = {}
        for r in rows("fx_rates.csv"):
            self.rates.setdefault(r["currency"], {})[datetime.date.fromisoformat(r["date"])] = Fraction(r["per_eur"])
        self.cpi = {tuple(map(int, r["month"].split("-"))): r for r in rows("deflator.csv")}
        self.prices = {}
        for r in rows("energy_prices.csv"):
            series = self.prices.setdefault((r["country"], r["carrier"]), {})
            series[datetime.date.fromisoformat(r["from_date"])] = (Fraction(r["price"]), r["currency"])
        self.grid = {}
        for r in rows("grid_intensity.csv"):
            self.grid.setdefault(r["country"], {})[int(r["year"])] = Fraction(r["g_co2e_per_kwh"])
        self.countries = [r["alpha3"] for r in rows("countries.csv")]
        self.members = {r["alpha3"] for r in rows("countries.csv") if r["eu27"] == "1"}
        self.currencies = {r["alpha"]: int(r["minor_unit"]) for r in rows("currencies.csv")}

    def in_currency(self, amount, currency, wanted, date):
        """The amount in another currency, and whether a rate of more than 7 days ago was used."""
        if currency == wanted:
            return amount, False
        stale = False
        per_eur = []
        for code in (currency, wanted):
            if code == "EUR":
                per_eur.append(Fraction(1))
                continue
            day, rate = at_or_before(self.rates[code], date)
            stale = stale or (date - day).days > 7
            per_eur.append(rate)
        return amount / per_eur[0] * per_eur[1], stale

    def price(self, country, carrier, date):
        places = [country] + (["EU27"] if country in self.members else [])
        if carrier != "natural_gas":
            places.append("USA")
        for place in places:
            if (place, carrier) in self.prices:
                return at_or_before(self.prices[place, carrier], date)[1]
        return None

    def score(self, mcc, amount, currency, date, country):
        """A dict with the fields from `status` on."""
        result = dict.fromkeys(FIELDS[5:], "")
        known = currency == "EUR" or currency in self.rates
        if known:
            euros, _ = self.in_currency(amount, currency, "EUR", date)
            result["eur_cents"] = str(half_even(euros * 100))
        row = self.mccs.get(mcc)
        if row is None:
            return result | {"status": "INVALID_MCC"}
        result["area"] = self.areas[row["area"]]
        if row["method"] == "not_scored":
            return result | {"status": "NOT_SCORED"}
        if not known:
            return result | {"status": "UNSUPPORTED_CURRENCY"}
        basket = {key: Fraction(weight) for key, weight in (part.split("=") for part in row["basket"].split(";"))}
        energy = {key: basket.pop(key) for key in CARRIERS if key in basket}
        if "natural_gas" in energy and self.price(country, "natural_gas", date) is None:
            energy["electricity"] = energy.get("electricity", 0) + energy.pop("natural_gas")
        co2e = co2 = Fraction(0)
        stale = False
        for carrier, weight in energy.items():
            price, price_currency = self.price(country, carrier, date)
            paid, old = self.in_currency(amount, currency, price_currency, date)
            stale = stale or old
            factor = self.carriers[carrier]
            if factor["kg_co2e_use"] == "grid":
                _, grams = at_or_before(self.grid.get(country) or self.grid["WRL"], date.year)
                use = grams / 1000
            else:
                use = Fraction(factor["kg_co2e_use"])
            grams = weight * paid / price * (use + Fraction(factor["kg_co2e_upstream"])) * 1000
            co2e += grams
            co2 += grams
        regional = self.regional.get(country)
        if basket:
            paid, old = self.in_currency(amount, currency, "EUR" if regional else "USD", date)
            month = (date.year, date.month)
            cpi_month, cpi = at_or_before(self.cpi, month)
            late = (month[0] - cpi_month[0]) * 12 + month[1] - cpi_month[1]
            stale = stale or old or late > 3
            real = paid * Fraction(cpi["to_eur2023" if regional else "to_usd2022"])
            for naics, weight in basket.items():
                if regional:
                    all_gases, only_co2 = regional[naics]
                else:
                    all_gases, only_co2 = (factor * self.multipliers.get(naics, 1) for factor in self.factors[naics])
                co2e += real * weight * all_gases * 1000
                co2 += real * weight * only_co2 * 1000
        return result | {
            "status": "SCORED",
            "g_co2e": hundredths(half_even(co2e * 100)),
            "g_co2": hundredths(half_even(co2 * 100)),
            "table": country if regional else "USD2022",
            "confidence": row["confidence"],
            "stale": "1" if stale else "0",
        }


class Purchases:
    """Made-up purchases; what is rare in life is common here."""

    def __init__(self, scorer, seed):
        self.scorer = scorer
        self.random = random.Random(seed)
        days = [day for series in scorer.rates.values() for day in (min(series), max(series))]
        self.first, self.last = min(days), max(days)
        self.price_days = sorted({day for series in scorer.prices.values() for day in series})
        self.fuel = [low for low, _, row in scorer.ranges if row["method"] == "fuel"]
        self.without = [low for low, _, row in scorer.ranges if row["method"] == "not_scored"]
        self.tables = sorted(scorer.regional)
        self.priced = sorted({place for place, _ in scorer.prices if place != "EU27"})

    def mcc(self):
        draw = self.random.random()
        if draw < 0.35:
            return self.random.choice(self.fuel)
        if draw < 0.40:
            return self.random.choice(self.without)
        if draw < 0.45:
            return self.random.randrange(10000)
        low, high, _ = self.random.choice(self.scorer.ranges)
        return self.random.choice((low, high, self.random.randint(low, high)))

    def date(self):
        draw = self.random.random()
        day = datetime.timedelta(days=1)
        if draw < 0.15:
            return self.last + day * self.random.choice((-1, 0, 1, 6, 7, 8, 9, 30))
        if draw < 0.25:
            return self.first + day * self.random.choice((-800, -30, -1, 0, 1))
        if draw < 0.35:
            return self.random.choice(self.price_days) + day * self.random.choice((-1, 0, 1))
        if draw < 0.45:
            year, month = max(self.scorer.cpi)
            months = year * 12 + month - 1 + self.random.randint(1, 6)
            return datetime.date(months // 12, months % 12 + 1, self.random.choice((1, 15, 28)))
        if draw < 0.65:
            first_of_month = (self.first + day * self.random.randrange((self.last - self.first).days)).replace(day=1)
            return first_of_month + day * self.random.choice((-1, 0))
        date = self.first + day * self.random.randrange((self.last - self.first).days + 200)
        if draw < 0.80:
            return date + day * (5 - date.weekday() + self.random.choice((0, 1)))
        return date

    def country(self):
        draw = self.random.random()
        if draw < 0.45:
            return self.random.choice(self.tables)
        if draw < 0.60:
            return "USA"
        if draw < 0.80:
            return self.random.choice(self.priced)
        return self.random.choice(self.scorer.countries)

    def currency(self):
        draw = self.random.random()
        if draw < 0.25:
            return "EUR"
        if draw < 0.45:
            return "USD"
        if draw < 0.93:
            return self.random.choice(sorted(self.scorer.rates))
        return self.random.choice(sorted(self.scorer.currencies))

    def amount(self, currency):
        places = self.scorer.currencies.get(currency, 2)
        unit = 10**places
        largest = 10**9 * unit
        draw = self.random.random()
        if draw < 0.10:
            units = self.random.choice((0, 1, 2, 5, largest - 1, largest))
        elif draw < 0.25:
            units = self.random.choice((1, 2, 5, 10, 25, 50, 100, 1000, 10**6)) * unit
        elif draw < 0.35:
            units = self.random.randint(0, largest)
        else:
            units = self.random.randint(1, 500 * unit)
        if self.random.random() < 0.3:
            units = -units
        whole, part = divmod(abs(units), unit)
        text = f"{'-' if units < 0 else ''}{whole}"
        return f"{text}.{part:0{places}d}" if places else text

    def draw(self):
        currency = self.currency()
        mcc = self.mcc()
        return {
            "mcc": f"{mcc}" if self.random.random() < 0.2 else f"{mcc:04d}",
            "amount": self.amount(currency),
            "currency": currency,
            "date": self.date().isoformat(),
            "country": self.country(),
        }


def result(scorer, purchase):
    date = datetime.date.fromisoformat(purchase["date"])
    return scorer.score(int(purchase["mcc"]), Fraction(purchase["amount"]), purchase["currency"], date, purchase["country"])


def check(scorer, file):
    failed = 0
    rows = read(pathlib.Path(file).parent, pathlib.Path(file).name)
    for row in rows:
        found = result(scorer, row)
        if any(found[name] != row[name] for name in ("status", "g_co2e", "g_co2")):
            failed += 1
            print(f"differs: {row} is scored {found}", file=sys.stderr)
    print(f"{len(rows) - failed} of {len(rows)} examples agree")
    return 1 if failed or not rows else 0


def recompute(data):
    """docs/footprint.md, "Where the two kinds of tables come from"; rounded half to even to 4 places."""
    basic = {(r["country"], r["product"]): r for r in read(data, "regional_basic.csv")}
    structure = {r["naics"]: r for r in read(data, "price_structure.csv")}
    vat = {r["country"]: {"exempt": 0} | {name: Fraction(r[name]) for name in ("standard", "reduced")} for r in read(data, "vat.csv")}
    failed = 0
    rows = read(data, "regional_factors.csv")
    for row in rows:
        price = structure[row["naics"]]
        share, detail = Fraction(price["basic_share"]), Fraction(price["detail"])
        for gas in ("kg_co2e", "kg_co2"):
            made = Fraction(basic[row["country"], price["product"]][f"{gas}_per_keur_basic"])
            sold = Fraction(basic[row["country"], "G47"][f"{gas}_per_keur_basic"])
            factor = (share * detail * made + (1 - share) * sold) / 1000 / (1 + vat[row["country"]][price["vat_class"]] / 100)
            if row["naics"] == "481111":
                factor *= Fraction("1.51")
            if half_even(factor * 10000) != Fraction(row[f"{gas}_per_eur"]) * 10000:
                failed += 1
                print(f"differs: {row} is {float(factor)} {gas}", file=sys.stderr)
    print(f"{len(rows)} rows made again")
    return 1 if failed or not rows else 0


def main(arguments):
    data = arguments.pop(0)
    appended = None
    if arguments[0] == "--append":
        appended = arguments[1]
        arguments = arguments[2:]
    scorer = Scorer(data, appended)
    if arguments[0] == "recompute":
        return recompute(data)
    if arguments[0] == "check":
        return check(scorer, arguments[1])
    purchases = Purchases(scorer, int(arguments[2]))
    out = csv.DictWriter(sys.stdout, FIELDS, lineterminator="\n")
    out.writeheader()
    for _ in range(int(arguments[1])):
        purchase = purchases.draw()
        out.writerow(purchase | result(scorer, purchase))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
