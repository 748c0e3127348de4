"""A failover under load: `failover.py BINARY POSTGRES_BIN WORK_FOLDER`, started by run.sh."""

import sys
import time
from pathlib import Path

from cluster import Cluster, Processes, wait_for
from gateways import Gateways, Load

ENOUGH = 20  # enrolments at each node, before and after
# What a 503 may not tell its caller: addresses, and what the database says.
SECRETS = ("127.0.0.1", "postgres", "connection to server", "SQL", "transaction", "libpq")


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def that(self, what, holds, found=""):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
        print(f"{'ok   ' if holds else 'FAIL '} {what}" + (f": {found}" if found != "" else ""), flush=True)


def serve_again(checks, gateways, load, what, since):
    """Both gateways follow by themselves; `since` is when the former primary was there last."""
    moment = time.monotonic()
    wait_for(f"both gateways enrol after {what}", 30, lambda: min(load.since(moment)) >= ENOUGH)
    wait_for(f"both gateways are ready after {what}", 15, lambda: gateways.is_ready(0) and gateways.is_ready(1))
    checks.that(f"both gateways enrol after {what}, without a restart", gateways.have_lived(), f"{load.longest_pause(since):.1f} s without")
    updated = [load.update(node) for node in (0, 1)]
    checks.that(f"both gateways update after {what}", updated == [200, 200], updated)


def fail_over(checks, cluster, gateways, load):
    """The primary's machine dies."""
    wait_for("both gateways enrol", 60, lambda: min(load.since(0)) >= ENOUGH)
    old = cluster.primary()
    killed = time.monotonic()
    old.kill()
    new = wait_for("a standby is promoted", 60, cluster.primary)
    checks.that("a standby is promoted", new is not old, f"{new.name} after {old.name}, {time.monotonic() - killed:.1f} s")
    serve_again(checks, gateways, load, "the failover", killed)
    return old, new


def rejoin(checks, old, new):
    """The dead machine comes back."""
    old.start()
    sql = f"SELECT 1 FROM pg_stat_replication WHERE application_name = '{old.name}' AND state = 'streaming'"
    wait_for("the old primary streams from the new one", 60, lambda: new.query(sql))
    state = old.state()
    checks.that("the old primary is a standby", state["role"] == "replica", f"timeline {state['timeline']}")


def switch_over(checks, cluster, gateways, load, old):
    """An operator moves the primary, as before work on its machine."""
    others = [node for node in cluster.nodes.values() if node is not old]
    began = time.monotonic()

    def asked():
        candidate = next((node for node in others if node.is_synchronous()), None)
        return candidate and old.switch_to(candidate) and candidate

    new = wait_for("Patroni moves the primary", 60, asked)
    wait_for("it is the primary", 60, lambda: cluster.primary() is new)
    checks.that("an operator moves the primary", True, f"{new.name} after {old.name}, {time.monotonic() - began:.1f} s")
    serve_again(checks, gateways, load, "the move", began)
    return new


def compare(checks, load, new):
    """What was answered, against what the new primary has."""
    checks.that("no answer but 200, and 503 without the database", not load.wrong, load.wrong[:5] or "")
    checks.that("calls in between got 503", bool(load.refused), len(load.refused))
    told = [text for _, text in load.refused if any(secret in text for secret in SECRETS)]
    checks.that("a 503 tells nothing of the database", not told, told[:1] or "")

    answered = set(load.enrolled)
    users = new.query("SELECT user_id, status FROM users")
    cards = new.query("SELECT user_id, count(*) FROM cards GROUP BY user_id")
    enrolled = "SELECT subject, count(*) FROM audit_entries WHERE action = 'user.enrol' AND outcome = 'accepted' GROUP BY subject"
    entries = dict(new.query(enrolled))
    active = [user for user, status in users if status == "ACTIVE"]
    once = set(active) if len(active) == len(set(active)) else set()
    checks.that("each enrolment that got 200 is there once", answered <= once, f"{len(answered)} of {len(answered)}"
                if answered <= once else f"{len(answered - once)} of {len(answered)} are missing")
    single = {user for user, count in cards if count == "1"}
    checks.that("each has one card", answered <= single and len(cards) == len(single))
    checks.that("each has one entry in the audit trail", all(entries.get(user) == "1" for user in answered))
    resolved = len(answered) + len(load.kept)
    checks.that("nothing else is there", len(users) == len(cards) == resolved,
                f"{len(users)} users, {len(cards)} cards, {len(answered)} got 200, {len(load.kept)} had been stored when they got 503")


def compare_nodes(checks, cluster, primary):
    counted = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM cards), (SELECT count(*) FROM audit_entries)"
    for node in cluster.nodes.values():
        wait_for(f"node {node.name} has all rows", 60, lambda node=node: node.query(counted) == primary.query(counted))
    roles = [node.state()["role"] for node in cluster.nodes.values()]
    checks.that("every node has all rows, one is the primary", sum(role != "replica" for role in roles) == 1, roles)


def run(checks, binary, pg_bin, work, processes):
    cluster = Cluster(processes, pg_bin)
    cluster.start()
    gateways = Gateways(processes, binary, cluster.url())
    load = Load(gateways)
    try:
        old, new = fail_over(checks, cluster, gateways, load)
        rejoin(checks, old, new)
        new = switch_over(checks, cluster, gateways, load, new)
    finally:
        checks.that("every card came to its end", load.stop())
    compare(checks, load, new)
    for command in (("vault", "verify"), ("audit", "verify")):
        status, text = gateways.command(*command)
        said = [line for line in text.splitlines() if not line.startswith(("note:", "hint:", "verify:"))]
        checks.that(f"{' '.join(command)} exits with 0", status == 0, " ".join(said)[:200])
    lost = gateways.metric("issuer_gateway_acknowledged_entries_lost_total")
    checks.that("no confirmed entry of the audit trail is lost", lost == 0, lost)
    compare_nodes(checks, cluster, new)


def main():
    binary, pg_bin, work = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    work.chmod(0o755)
    started = time.monotonic()
    checks, processes = Checks(), Processes(work)
    try:
        run(checks, binary, pg_bin, work, processes)
    except Exception as error:  # whatever it is, the run has failed, and its processes are ended
        checks.that(repr(error), False)
    finally:
        processes.stop()
        if checks.failed:
            for log in sorted(work.glob("*.log")):
                print(f"== {log.name}", *log.read_text(errors="replace").splitlines()[-15:], sep="\n", flush=True)
    print(f"{checks.passed} passed, {checks.failed} failed ({time.monotonic() - started:.0f} s)")
    return 0 if checks.failed == 0 and checks.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
