"""Processes of the run, all on loopback: etcd, Patroni with PostgreSQL, haproxy, gateways. Each ends by its process id."""

import json
import os
import pwd
import signal
import socket
import subprocess
import time
from pathlib import Path

import requests

NODES = ("a", "b", "c")
DATABASE = "gateway"

# Nothing in the environment may send us through a proxy.
http = requests.Session()
http.trust_env = False


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(what, seconds, condition):
    """Asks until the condition holds, and returns what it said. A failure to answer counts as no."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if value := condition():
                return value
            last = "no"
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            last = repr(error)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s (last: {last[:300]})")
        time.sleep(0.1)


class Processes:
    """What was started, in order. PostgreSQL refuses to run as root: then `owner` runs what is not ours."""

    def __init__(self, work):
        self.work = work
        self.started = []
        self.owner = None
        if os.getuid() == 0:
            names = [entry.pw_name for entry in pwd.getpwall()]
            self.owner = "postgres" if "postgres" in names else "nobody"

    def folder(self, name):
        path = self.work / name
        path.mkdir(mode=0o700)
        if self.owner:
            user = pwd.getpwnam(self.owner)
            os.chown(path, user.pw_uid, user.pw_gid)
        return path

    def start(self, name, command, *, owner=None, env=None):
        identity = {"user": owner, "group": pwd.getpwnam(owner).pw_gid, "extra_groups": []} if owner else {}
        with open(self.work / f"{name}.log", "ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env={**os.environ, **(env or {})}, **identity
            )
        self.started.append((name, process))
        return process

    def stop(self):
        """Who needs others goes first: the gateways write a last entry, Patroni says goodbye to etcd."""
        for kind in ("gateway", "patroni", "haproxy", "etcd"):
            processes = [process for name, process in self.started if name.startswith(kind)]
            for process in processes:
                process.terminate()
            for process in processes:
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


class Postgres:
    """One node: Patroni, and the PostgreSQL that it starts."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        self.port, self.rest = free_port(), free_port()
        self.folder = cluster.processes.folder(f"postgres-{name}")
        self.data = self.folder / "data"
        self.patroni = None
        self.config = self.folder / "patroni.json"
        # JSON is YAML too.
        self.config.write_text(json.dumps(self.settings(), indent=1))
        self.config.chmod(0o644)

    def settings(self):
        password = {"superuser": "postgres", "replication": "replicator"}
        return {
            "scope": "gateway",
            "name": self.name,
            "restapi": {"listen": f"127.0.0.1:{self.rest}", "connect_address": f"127.0.0.1:{self.rest}"},
            "etcd3": {"host": f"127.0.0.1:{self.cluster.etcd_port}"},
            "bootstrap": {
                "dcs": {
                    # The shortest that Patroni takes: a dead primary is replaced after `ttl`.
                    "ttl": 20,
                    "loop_wait": 1,
                    "retry_timeout": 3,
                    # No confirmed commit is lost: it is on a standby, and only that one is promoted.
                    "synchronous_mode": True,
                    "postgresql": {
                        "use_pg_rewind": True,
                        "use_slots": True,
                        # Processes are killed here, no machine loses its power: the disk need not be waited for.
                        "parameters": {"wal_log_hints": "on", "fsync": "off", "max_connections": 60},
                    },
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums"],
                "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}",
                "connect_address": f"127.0.0.1:{self.port}",
                "data_dir": str(self.data),
                "bin_dir": str(self.cluster.pg_bin),
                "pgpass": str(self.folder / "pgpass"),
                "authentication": {role: {"username": name, "password": "none"} for role, name in password.items()},
                "parameters": {"unix_socket_directories": str(self.folder)},
            },
            "watchdog": {"mode": "off"},
        }

    def start(self):
        processes = self.cluster.processes
        self.patroni = processes.start(f"patroni-{self.name}", ["patroni", str(self.config)], owner=processes.owner)

    def state(self):
        """What Patroni's REST says of this node: `role`, `state`, `timeline`."""
        return http.get(f"http://127.0.0.1:{self.rest}/patroni", timeout=2).json()

    def is_primary(self):
        return http.get(f"http://127.0.0.1:{self.rest}/primary", timeout=2).status_code == 200

    def is_synchronous(self):
        return http.get(f"http://127.0.0.1:{self.rest}/synchronous", timeout=2).status_code == 200

    def switch_to(self, other):
        """Whether Patroni has made the other node the primary in place of this one."""
        moved = {"leader": self.name, "candidate": other.name}
        return http.post(f"http://127.0.0.1:{self.rest}/switchover", json=moved, timeout=60).status_code == 200

    def server(self):
        """The process id of PostgreSQL's first process."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def family(self):
        """That process and its children."""
        first = self.server()
        found = [first]
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(entry.read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            if parent == first:
                found.append(int(entry.parent.name))
        return found

    def kill(self):
        """As a machine does that loses its power: nobody says goodbye."""
        self.patroni.kill()
        self.patroni.wait()
        for process in self.family():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def query(self, sql):
        """Rows as lists of texts."""
        return self.cluster.query(sql, self.port)


class Cluster:
    def __init__(self, processes, pg_bin):
        self.processes, self.pg_bin = processes, pg_bin
        self.etcd_port, self.port = free_port(), free_port()
        self.start_etcd()
        self.nodes = {name: Postgres(self, name) for name in NODES}

    def start_etcd(self):
        clients, peers = (f"http://127.0.0.1:{port}" for port in (self.etcd_port, free_port()))
        command = ["etcd", "--name", "etcd", "--data-dir", str(self.processes.folder("etcd"))]
        command += ["--listen-client-urls", clients, "--advertise-client-urls", clients]
        command += ["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", f"etcd={peers}"]
        self.processes.start("etcd", command, owner=self.processes.owner)
        wait_for("etcd is healthy", 30, lambda: http.get(f"{clients}/health", timeout=2).json()["health"] == "true")

    def start(self):
        first, *others = self.nodes.values()
        first.start()
        wait_for("the first node is the primary", 60, first.is_primary)
        for node in others:
            node.start()
        wait_for("a standby is synchronous", 60, lambda: any(node.is_synchronous() for node in others))
        self.start_haproxy()
        self.query(f"CREATE DATABASE {DATABASE}", database="postgres")

    def start_haproxy(self):
        """As docs/deployment.md has it for three machines."""
        servers = "".join(
            f"    server {node.name} 127.0.0.1:{node.port} check port {node.rest}\n" for node in self.nodes.values()
        )
        config = self.processes.work / "haproxy.cfg"
        config.write_text(
            "defaults\n    mode tcp\n    timeout connect 1s\n    timeout client 1h\n    timeout server 1h\n    timeout check 1s\n"
            f"listen primary\n    bind 127.0.0.1:{self.port}\n    option httpchk GET /primary\n    http-check expect status 200\n"
            f"    default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions\n{servers}"
        )
        self.processes.start("haproxy", ["haproxy", "-db", "-f", str(config)])
        # It takes turns, so as many answers as there are nodes come from all that it takes for the primary.
        asked = lambda: self.query("SELECT pg_is_in_recovery()", database="postgres") == [["f"]]
        wait_for("haproxy leads to the primary alone", 20, lambda: all(asked() for _ in NODES))

    def url(self):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{DATABASE}"

    def primary(self):
        """The node that is it now, or nothing."""
        for node in self.nodes.values():
            try:
                if node.is_primary() and node.query("SELECT pg_is_in_recovery()") == [["f"]]:
                    return node
            except (OSError, ValueError, subprocess.SubprocessError):
                continue
        return None

    def query(self, sql, port=None, database=DATABASE):
        """Rows as lists of texts; by haproxy unless a node's port is given."""
        command = [str(self.pg_bin / "psql"), "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"]
        command += ["-p", str(port or self.port), "-U", "postgres", "-d", database, "-c", sql]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        if done.returncode != 0:
            raise ValueError(done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]
