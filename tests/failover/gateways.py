"""Two gateways on the cluster's address, and issuer servers that enrol through both without pause."""

import copy
import json
import os
import subprocess
import threading
import time

from cluster import free_port, http, wait_for
from support import USERS, Client, Jwe, Sandbox, enrolment, new_card, postal_code_update

READY_WITHIN = 90  # seconds; a debug build makes keys at first
PAUSE = 0.05  # seconds between a 503 and the same card again, as an issuer's server would wait


class Gateways:
    """The first is a sandbox, which makes keys and issuers; the second serves with the same configuration."""

    def __init__(self, processes, binary, url):
        self.folder = processes.work / "sandbox"
        self.binary, self.env = binary, {"ISSUER_GATEWAY__DATABASE__URL": url, "ISSUER_GATEWAY__LOG__FILTER": "info"}
        self.config = str(self.folder / "gateway.toml")
        self.nodes = []
        for index in range(2):
            port, metrics = free_port(), free_port()
            command = ["sandbox", "--no-console", "--dir", str(self.folder), "--port", str(port)]
            if index > 0:
                command = ["--config", self.config, "serve"]
            env = {
                **self.env,
                "ISSUER_GATEWAY__SERVER__LISTEN": f"127.0.0.1:{port}",
                "ISSUER_GATEWAY__METRICS__LISTEN": f"127.0.0.1:{metrics}",
            }
            process = processes.start(f"gateway-{index}", [binary, *command], env=env)
            self.nodes.append((process, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics}/metrics"))
            wait_for(f"gateway {index} is ready", READY_WITHIN, lambda: self.is_ready(index))
        self.sandbox = Sandbox(self.folder / "sandbox.json")

    def is_ready(self, index):
        process, url, _ = self.nodes[index]
        if process.poll() is not None:
            raise RuntimeError(f"gateway {index} ended")
        return http.get(f"{url}/health/ready", timeout=5).status_code == 200

    def have_lived(self):
        return all(process.poll() is None for process, _, _ in self.nodes)

    def metric(self, name):
        """The sum of a metric's series over both nodes."""
        lines = [line for _, _, url in self.nodes for line in http.get(url, timeout=5).text.splitlines()]
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((name + "{", name + " ")))

    def command(self, *arguments):
        done = subprocess.run(
            [self.binary, "--config", self.config, *arguments], env={**os.environ, **self.env}, capture_output=True, text=True, timeout=60
        )
        return done.returncode, (done.stdout + done.stderr).strip()


class Caller(Client):
    """An issuer's server that calls one of the nodes."""

    def __init__(self, sandbox, origin):
        own = copy.copy(sandbox)
        own.base_url = origin
        super().__init__(own, "demo")


class Load:
    """Enrols one card after the other at each node. A card that got 503 is sent again, newly sealed and signed, until it is in."""

    def __init__(self, gateways, callers=2):
        self.gateways = gateways
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.enrolled = {}  # user id -> (card, node, when)
        self.kept = []  # cards of which a 503 had been stored all the same
        self.refused = []  # 503: (node, text)
        self.wrong = []  # every other answer
        self.threads = [
            threading.Thread(target=self.enrol_all, args=(node,)) for node in range(len(gateways.nodes)) for _ in range(callers)
        ]
        for thread in self.threads:
            thread.start()

    def enrol_all(self, node):
        caller = Caller(self.gateways.sandbox, self.gateways.nodes[node][1])
        library = Jwe(self.gateways.sandbox.certificate, caller.issuer)
        while not self.stopping.is_set():
            try:
                self.enrol(caller, library, node)
            except Exception as error:  # the run goes on, and fails in the end
                with self.lock:
                    self.wrong.append(f"node {node}: {error!r}"[:300])
                return

    def enrol(self, caller, library, node):
        with self.lock:
            card = new_card(caller.issuer)
        tries = 0
        while True:
            tries += 1
            answer = caller.send("POST", USERS, json.dumps(library.seal(enrolment(card))))
            with self.lock:
                if answer.status_code == 200:
                    self.enrolled[library.open(answer.json())["userid"]] = (card, node, time.monotonic())
                    return
                if answer.status_code == 503:
                    self.refused.append((node, answer.text))
                elif tries > 1 and answer.status_code == 400 and "USER_ALREADY_EXISTS" in answer.text:
                    self.kept.append(card)
                    return
                else:
                    self.wrong.append(f"node {node}, try {tries}: {answer.status_code} {answer.text[:200]}")
                    return
            self.stopping.wait(PAUSE)

    def since(self, moment):
        """Enrolments of each node since then."""
        with self.lock:
            if self.wrong:
                raise RuntimeError(f"not an answer to expect: {self.wrong[0]}")
            return [sum(1 for _, at, when in self.enrolled.values() if at == node and when >= moment) for node in (0, 1)]

    def longest_pause(self, since):
        """Seconds from one enrolment to the next, at either node, at most."""
        with self.lock:
            times = sorted(when for _, _, when in self.enrolled.values() if when >= since)
        return max((after - before for before, after in zip([since, *times], times)), default=0.0)

    def update(self, node):
        """The status of an update of a cardholder, at one node."""
        with self.lock:
            user = next(iter(self.enrolled))
        caller = Caller(self.gateways.sandbox, self.gateways.nodes[node][1])
        library = Jwe(self.gateways.sandbox.certificate, caller.issuer)
        return caller.update(library, user, postal_code_update("11747")).status_code

    def stop(self):
        """Cards under way are brought to their end first."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
        return not any(thread.is_alive() for thread in self.threads)
