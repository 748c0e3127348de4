"""The alerts as Prometheus evaluates them: scraped pages become series, and promtool says which alerts fire."""

import re
import subprocess
import time
import urllib.error
import urllib.request

# The series' time in seconds: two hours in which all is well, then an hour and a half of the fault.
STEP, WELL, FAULT = 30, 7_200, 5_400
LINE = re.compile(r"^([a-z_]+)(?:\{(.*)\})? (\S+)$")
TARGET = {"instance": "gw:9464", "job": "issuer-gateway"}


class Page:
    """One scrape: when, and what it had; nothing if nobody answered."""

    def __init__(self, url):
        self.at = time.time()
        self.kinds, self.samples = {}, {}
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                text = answer.read().decode()
        except (urllib.error.URLError, OSError):
            text = None
        self.samples[series("up", {})] = float(text is not None)
        for line in (text or "").splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                self.kinds[name] = kind
            elif found := LINE.match(line):
                name, labels, value = found.groups()
                labels = dict(re.findall(r'([a-z_]+)="([^"]*)"', labels or ""))
                if "job" in labels:
                    # What Prometheus does: job is the scrape job.
                    labels["exported_job"] = labels.pop("job")
                self.samples[series(name, labels)] = float(value)

    def sum(self, name, **wanted):
        """All samples of a metric with these labels, added."""
        labels = [f'{label}="{value}"' for label, value in wanted.items()]
        matching = (key for key in self.samples if key.split("{")[0] == name and all(label in key for label in labels))
        return sum(self.samples[key] for key in matching)

    def counts(self, key):
        """Whether it is a sample that only grows."""
        name = key.split("{")[0]
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        return self.kinds.get(name) == "counter" or self.kinds.get(base) == "histogram"


def series(name, labels):
    shown = ",".join(f'{label}="{value}"' for label, value in sorted({**labels, **TARGET}.items()))
    return f"{name}{{{shown}}}"


def values(key, well, fault, goes_on):
    """A series of promtool: `well` are two pages of the healthy node, `fault` two of the one with the fault.

    Between the pages nothing is invented but time. What counts goes on as it was seen between two pages: the healthy
    node's before the fault, and the other one's after it, if the fault goes on. All else stays as it was scraped.
    """
    def shifted(page):
        value = page.samples.get(key)
        # Prometheus' time begins with the series.
        is_time = "_timestamp_seconds{" in key and value
        return value - well[1].at + WELL if is_time else value

    def rate(before, after):
        seen = before.samples.get(key, 0.0), after.samples.get(key, 0.0)
        return (seen[1] - seen[0]) / (after.at - before.at) if after.counts(key) else 0.0

    line = []
    start, slope = shifted(well[1]), rate(*well)
    ages = "_timestamp_seconds{" in key
    for at in range(0, WELL + 1, STEP):
        if start is None:
            line.append("_")
        elif ages:
            # The healthy node's jobs succeed again and again.
            line.append(f"{max(start - (WELL - at), 0):.6f}" if start else "0")
        else:
            line.append(f"{max(start - slope * (WELL - at), 0) if slope else start:.9f}")
    seen, slope = [shifted(page) for page in fault], rate(*fault) if goes_on else 0.0
    for at in range(STEP, FAULT + 1, STEP):
        value = seen[0] if at == STEP else seen[1]
        line.append("_" if value is None else f"{value + slope * (at - 2 * STEP if at > STEP else 0):.9f}")
    return " ".join(line)


def evaluate(rules, alert, expression, pages, goes_on, folder):
    """The answers of Prometheus' own evaluation: the alert is silent before the fault, and fires with it."""
    well, fault = pages
    named = set(re.findall(r"\b(up|issuer_gateway_[a-z_]+)\b", expression))
    keys = {key for page in [*well, *fault] for key in page.samples if key.split("{")[0] in named}
    told = [f"      - {{ series: '{key}', values: '{values(key, well, fault, goes_on)}' }}" for key in sorted(keys)]
    firing = f'ALERTS{{alertname="{alert}", alertstate="firing"}}'
    file = folder / f"{alert}.yaml"
    file.write_text("\n".join([
        f"rule_files: ['{rules}']", f"evaluation_interval: {STEP}s", "tests:", f"  - interval: {STEP}s",
        "    input_series:", *told, "    promql_expr_test:",
        f"      - {{ expr: 'max(max_over_time({firing}[{WELL}s]))', eval_time: {WELL}s, exp_samples: [] }}",
        f"      - {{ expr: 'max(max_over_time({firing}[{FAULT}s]))', eval_time: {WELL + FAULT}s, exp_samples: [{{ labels: '{{}}', value: 1 }}] }}",
    ]) + "\n")
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True)
    return None if done.returncode == 0 else done.stdout + done.stderr
