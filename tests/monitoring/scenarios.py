"""Faults, each provoked in a running gateway: what is scraped before, and with it.

A scenario yields (pages of the healthy node, pages with the fault, whether the fault goes on as it was seen).
"""

import contextlib
import datetime
import pathlib
import subprocess
import threading
import time

from node import Issuer, Node, sql, until

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
SCENARIOS = []


def provokes(*alerts):
    """The alerts that must fire, each by its name without IssuerGateway."""

    def note(scenario):
        SCENARIOS.append((scenario, [f"IssuerGateway{alert}" for alert in alerts]))
        return scenario

    return note


@contextlib.contextmanager
def calling(call, callers=4):
    """Calls again and again meanwhile."""
    over = threading.Event()

    def again():
        while not over.is_set():
            call()

    threads = [threading.Thread(target=again) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def refusals(reason):
    return lambda page: page.sum("issuer_gateway_refusals_total", reason=reason)


@provokes("Down")
def process_is_killed(installation):
    with Node(installation, installation.database()) as node:
        well = node.pages()
        node.process.kill()
        node.process.wait()
        return well, node.pages(), True


@provokes("CannotWrite", "CannotRead", "DataKeysNotFollowed", "JobStale", "Overloaded")
def database_refuses_connections(installation):
    database = installation.database()
    with Node(installation, database) as node:
        issuer = Issuer(node)
        assert issuer.enrol()[0] == 200
        well = node.pages()
        installation.close(database)
        with calling(issuer.enrol):
            down = lambda page: page.sum("issuer_gateway_ready", part="writes") == 0 and page.sum("issuer_gateway_ready", part="reads") == 0
            node.until("the node has noticed", down)
            failures = lambda page: page.sum("issuer_gateway_background_failures_total", task="vault")
            node.until("the keys cannot be followed", lambda page: failures(page) > 0 and refusals("store-unavailable")(page) > 0)
            first = node.page()
            node.until("it goes on", lambda page: failures(page) > failures(first) and page.at > first.at + 3)
            return well, [first, node.page()], True


@contextlib.contextmanager
def no_standby(node):
    """The server waits for a standby that is not there, and so does every COMMIT; a call is under way."""
    sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    sql("SELECT pg_reload_conf()")
    try:
        with calling(Issuer(node).enrol, callers=1):
            yield
    finally:
        sql("ALTER SYSTEM RESET synchronous_standby_names")
        sql("SELECT pg_reload_conf()")


@provokes("CommitHangs")
def no_standby_confirms(installation):
    with Node(installation, installation.database()) as node:
        well = node.pages()
        with no_standby(node):
            seen = node.until("a COMMIT hangs", lambda page: oldest(page) > 3 and page)
        return well, [seen, seen], False


@provokes("CommitsInDoubt", "DatabaseSilent")
def commits_get_no_answer(installation):
    with Node(installation, installation.database()) as node:
        well = node.pages()
        given_up = lambda page: page.sum("issuer_gateway_writer_connections_given_up_total")
        with no_standby(node):
            seen = node.until("it was given up", lambda page: page.sum("issuer_gateway_batches_in_doubt_total") and given_up(page) and page)
        return well, [seen, seen], False


def oldest(page):
    return max(value for key, value in page.samples.items() if key.startswith("issuer_gateway_oldest_commit_seconds"))


@provokes("CommitsSlow", "Slow")
def database_is_slow(installation):
    database = installation.database()
    with Node(installation, database) as node:
        issuer = Issuer(node)
        assert issuer.enrol()[0] == 200
        well = node.pages()
        sql("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.8); RETURN NEW; END'", database)
        sql("CREATE TRIGGER wait BEFORE INSERT ON users FOR EACH STATEMENT EXECUTE FUNCTION wait()", database)
        with calling(issuer.enrol, callers=1):
            commits = lambda page: page.sum("issuer_gateway_commit_seconds_count", writer="calls")
            served = lambda page: page.sum("issuer_gateway_request_seconds_count", route="/issuers/users")
            first = node.until("one was slow", lambda page: served(page) > served(well[1]) and page)
            last = node.until("more were slow", lambda page: served(page) > served(first) + 1 and commits(page) > commits(first) + 1 and page)
            return well, [first, last], True


@provokes("ClockOff")
def clock_is_off(installation):
    database = installation.database()
    with Node(installation, database) as node:
        well = node.pages()
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    late = {"LD_PRELOAD": str(library), "FAKETIME": "-45s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with Node(installation, database, environment=late) as node:
        node.until("the clocks were compared", lambda page: page.sum("issuer_gateway_ready", part="clock") == 0)
        return well, node.pages(), False


@provokes("EntriesLost")
def database_loses_commits(installation):
    database = installation.database()
    with Node(installation, database) as node:
        issuer = Issuer(node)
        for _ in range(2):
            assert issuer.enrol()[0] == 200
        well = node.pages()
        # As after a failover to a standby that lagged behind: connections break, and the newest entries are not there.
        newest = "SELECT chain, max(seq) AS seq FROM audit_entries GROUP BY chain"
        sql(f"DELETE FROM audit_entries e USING ({newest}) n WHERE e.chain = n.chain AND e.seq = n.seq", database)
        sql("""UPDATE audit_heads h SET seq = e.seq, hash = e.hash FROM audit_entries e
               WHERE e.chain = h.chain AND e.seq = (SELECT max(seq) FROM audit_entries WHERE chain = h.chain)""", database)
        sql("DELETE FROM audit_heads h WHERE NOT EXISTS (SELECT FROM audit_entries e WHERE e.chain = h.chain)", database)
        installation.disconnect(database)
        with calling(issuer.enrol, callers=1):
            seen = node.until("it was noticed", lambda page: page.sum("issuer_gateway_acknowledged_entries_lost_total") > 0 and page)
        return well, [seen, seen], False


@provokes("Faults")
def card_is_missing(installation):
    database = installation.database()
    with Node(installation, database) as node:
        issuer = Issuer(node)
        assert issuer.enrol()[0] == 200
        well = node.pages()
        user = sql("SELECT user_id FROM users", database)
        sql("DELETE FROM cards", database)
        changed = {name: value for name, value in issuer.enrolment().items() if name in ("name", "locale", "billingAddress")}
        status, body = issuer.send("PUT", f"/issuers/users/{user}", issuer.seal(changed))
        assert status == 500, (status, body)
        return well, node.pages(), False


@provokes("SignaturesRefused")
def signatures_are_wrong(installation):
    with Node(installation, installation.database()) as node:
        issuer = Issuer(node)
        assert issuer.enrol()[0] == 200
        well = node.pages()
        with calling(lambda: issuer.enrol(forged=True), callers=8):
            wrong = refusals("signature-invalid")
            first = node.until("they are refused", lambda page: wrong(page) > 0 and page)
            last = node.until("more of them", lambda page: page.at > first.at + 5 and wrong(page) > wrong(first) + 20 and page)
            return well, [first, last], True


@provokes("PayloadsDoNotOpen")
def client_has_another_certificate(installation):
    with Node(installation, installation.database()) as node:
        issuer = Issuer(node)
        assert issuer.enrol()[0] == 200
        well = node.pages()
        # It encrypts to another key, and names the gateway's.
        other = issuer.signing.public_key()
        with calling(lambda: issuer.enrol(key=issuer.key(other)), callers=2):
            refused = lambda page: page.sum("issuer_gateway_crypto_refusals_total")
            first = node.until("they are refused", lambda page: refused(page) > 0 and page)
            last = node.until("more of them", lambda page: page.at > first.at + 3 and refused(page) > refused(first) + 10 and page)
            return well, [first, last], True


@provokes("WrappedKeyReused")
def wrapped_key_comes_again(installation):
    with Node(installation, installation.database()) as node:
        issuer = Issuer(node)
        key = issuer.key()
        assert issuer.enrol(key=key)[0] == 200
        well = node.pages()
        status, _ = issuer.enrol(key=key)
        assert status == 400, status
        return well, node.pages(), False


@provokes("ErasuresWait")
def nobody_erases(installation):
    database = installation.database()
    with Node(installation, database, "[erasure]\nenabled = false") as node:
        issuer = Issuer(node)
        assert issuer.enrol()[0] == 200
        well = node.pages()
        user = sql("SELECT user_id FROM users", database)
        status, body = issuer.send("POST", "/issuers/user-deletions", f'["{user}"]'.encode())
        assert status == 202, (status, body)
        node.until("it is counted", lambda page: page.sum("issuer_gateway_erasures_pending") == 1)
        return well, node.pages(), False


@provokes("RsaWrong")
def crypto_mb_errs(installation):
    library = installation.folder / "libcrypto_mb.so"
    faults = ["-DSOUND_CALLS=3", "-DWRONG_LANES=1"]
    source = REPOSITORY / "tests/stand_in/crypto_mb.c"
    subprocess.run(["cc", "-std=c11", "-O2", "-shared", "-fPIC", *faults, "-o", library, source], check=True)
    with Node(installation, installation.database(), f'[crypto]\nmulti_buffer = "{library}"') as node:
        issuer = Issuer(node)
        well = node.pages()
        with calling(issuer.enrol, callers=24):
            seen = node.until("a result was wrong", lambda page: page.sum("issuer_gateway_rsa_thrown_away_total") > 0 and page)
        return well, [seen, seen], False


@provokes("ReloadRefused")
def configuration_is_broken(installation):
    with Node(installation, installation.database()) as node:
        well = node.pages()
        node.file.write_text(node.text.replace('"gateway.pem"', '"no-such-key.pem"'))
        node.reload()
        node.until("it was refused", lambda page: page.sum("issuer_gateway_reloads_total", result="failure") > 0)
        return well, node.pages(), False


def with_end(end):
    """A second gateway key that ends then."""
    when = end.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f'[[keys.gateway]]\nfile = "ends.pem"\ncertificate = "ends-cert.pem"\nstate = "active"\nnot_after = "{when}"'


def key_that_ends(installation, seconds):
    if not (installation.home / "ends.pem").exists():
        subprocess.run([installation.binary, "keys", "generate", installation.home / "ends.pem"], check=True, capture_output=True)
    database = installation.database()
    with Node(installation, database) as node:
        well = node.pages()
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return well, Node(installation, database, keys=with_end(end))


@provokes("ExpiresSoon")
def key_ends_in_ten_days(installation):
    well, ending = key_that_ends(installation, 10 * 86_400)
    with ending as node:
        soon = lambda page: any(key.startswith("issuer_gateway_expires_seconds") and value < 11 * 86_400 for key, value in page.samples.items())
        node.until("its end is shown", soon)
        return well, node.pages(), False


@provokes("Expired")
def key_has_ended(installation):
    well, ending = key_that_ends(installation, -60)
    with ending as node:
        over = lambda page: any(key.startswith("issuer_gateway_expires_seconds") and value < 0 for key, value in page.samples.items())
        node.until("its end is shown", over)
        return well, node.pages(), False


@provokes("ScoringFails")
def enrolment_cannot_be_scored(installation):
    database = installation.database()
    with Node(installation, database, "[transactions]\nretain_unenrolled = 30") as node:
        issuer = Issuer(node)
        well = node.pages()
        assert issuer.enrol()[0] == 200
        # The card does not open, for a day.
        sql("UPDATE cards SET card = '\\x00'", database)
        sql("UPDATE scoring_jobs SET status = 'pending', next_at = 0, ended_at = NULL, created_at = created_at - 90000000000", database)
        node.until("it was given up", lambda page: page.sum("issuer_gateway_scoring_jobs_ended_total", state="failed") > 0)
        return well, node.pages(), False
