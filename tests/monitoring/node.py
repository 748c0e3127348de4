"""Running gateways on PostgreSQL, and an issuer that calls them."""

import base64
import hashlib
import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509 import load_pem_x509_certificate

from rules import Page

# Nothing takes so long, also on a machine with other work to do.
PATIENCE = 120
ADMIN = os.environ["ISSUER_GATEWAY_TEST_POSTGRES_URL"]


def until(what, look):
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited for in vain: {what}")
        time.sleep(0.1)
    return found


def sql(text, database="postgres"):
    url = ADMIN.rsplit("/", 1)[0] + "/" + database
    command = ["psql", "--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1", "-c", text, url]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd="/").stdout.strip()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Installation:
    """What all nodes share: keys and issuers, as a sandbox makes them, and a database to copy."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.home = folder / "home"
        log = (folder / "sandbox.out").open("w")
        making = subprocess.Popen([binary, "sandbox", "--dir", self.home, "--port", "0", "--no-console"], stdout=log, stderr=log)
        try:
            until("the keys are made", lambda: "Serving until" in (folder / "sandbox.out").read_text())
        finally:
            making.terminate()
            making.wait()
        self.sandbox = json.loads((self.home / "sandbox.json").read_text())
        self.gateway_certificate = self.home / "gateway-cert.pem"
        self.number = 0
        sql("CREATE DATABASE template_gateway")
        node = Node(self, "template_gateway")
        node.command("migrate")
        node.command("issuer", "apply", self.home / "issuers.toml")

    def database(self):
        self.number += 1
        name = f"gateway_{self.number}"
        sql(f"CREATE DATABASE {name} TEMPLATE template_gateway")
        return name

    def close(self, database):
        """The database takes no connection any more, and ends those that there are."""
        sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
        self.disconnect(database)

    def disconnect(self, database):
        sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")


class Node:
    """`issuer-gateway serve` on a database, with its metrics. `settings` are added to the configuration."""

    def __init__(self, installation, database, settings="", keys="", prefix=(), environment=()):
        self.installation, self.database = installation, database
        self.port, self.metrics_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        url = ADMIN.rsplit("/", 1)[0] + "/" + database
        self.prefix, self.environment = prefix, {**os.environ, **dict(environment)}
        self.file = installation.home / f"{database}-{self.port}.toml"
        self.text = f"""
[server]
listen = "127.0.0.1:{self.port}"
drain_delay_s = 0
[metrics]
listen = "127.0.0.1:{self.metrics_port}"
[database]
url = "{url}"
[audit]
witness = "{database}.witness"
[vault]
kek_file = "kek.key"
[[keys.gateway]]
file = "gateway.pem"
certificate = "gateway-cert.pem"
state = "primary"
{keys}
{settings}
"""
        self.file.write_text(self.text)
        self.process = None

    def command(self, *arguments):
        command = [self.installation.binary, "--config", self.file, *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def __enter__(self):
        log = self.installation.folder / f"{self.database}-{self.port}.log"
        command = [*self.prefix, self.installation.binary, "--config", self.file, "serve"]
        with log.open("w") as output:
            self.process = subprocess.Popen(command, env=self.environment, stdout=output, stderr=output)

        def serves():
            if self.process.poll() is not None:
                raise AssertionError(f"the gateway ended:\n{log.read_text()}")
            page = self.page()
            return page.sum("up") == 1 and page.sum("issuer_gateway_ready", part="jobs") == 1

        until("the gateway serves", serves)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def page(self):
        return Page(f"http://127.0.0.1:{self.metrics_port}/metrics")

    def pages(self):
        """Two pages, some seconds apart: what counts has a rate."""
        first = self.page()
        return [first, until("three seconds are over", lambda: time.time() - first.at > 3 and self.page())]

    def until(self, what, look):
        return until(what, lambda: look(self.page()))

    def reload(self):
        self.process.send_signal(signal.SIGHUP)


class Issuer:
    """An issuer's server: field-level encryption, RSA-SHA256."""

    def __init__(self, node, name="demo"):
        self.url, home = node.url, node.installation.home
        self.about = node.installation.sandbox["issuers"][name]
        self.signing = serialization.load_pem_private_key((home / self.about["signing_key"]).read_bytes(), None)
        certificate = load_pem_x509_certificate(node.installation.gateway_certificate.read_bytes())
        self.gateway = certificate.public_key()

    def card(self):
        begun = self.about["account_ranges"][0]
        begun += "".join(secrets.choice("0123456789") for _ in range(15 - len(begun)))
        total = 0
        for place, digit in enumerate(reversed(begun)):
            value = int(digit) * (1 if place % 2 else 2)
            total += value - 9 if value > 9 else value
        return begun + str(-total % 10)

    def enrolment(self):
        address = {"countryCode": "USA", "type": "home", "postalCode": "11746", "city": "Brooklyn", "state": "New York", "line1": "42 Elm Avenue"}
        return {
            "email": {"type": "home", "value": "jane.sample@example.com"}, "name": {"firstName": "Jane", "lastName": "Sample"},
            "cardholderName": "Jane Sample", "cardNumber": self.card(), "cardBaseCurrency": "USD",
            "expiryInfo": {"month": "10", "year": "2099"}, "billingAddress": address, "locale": "en-US",
        }

    def seal(self, clear, key=None):
        """The body of a request. `key` is a content key and how it was wrapped, to be used once more."""
        content_key, wrapped = key or self.key()
        iv = secrets.token_bytes(16)
        padder, encryptor = padding.PKCS7(128).padder(), Cipher(algorithms.AES(content_key), modes.CBC(iv)).encryptor()
        padded = padder.update(json.dumps(clear).encode()) + padder.finalize()
        public = self.gateway.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return json.dumps({
            "encryptedData": (encryptor.update(padded) + encryptor.finalize()).hex(), "iv": iv.hex(), "encryptedKey": wrapped.hex(),
            "oaepHashingAlgorithm": "SHA256", "publicKeyFingerprint": hashlib.sha256(public).hexdigest(),
        }).encode()

    def key(self, public=None):
        content_key = secrets.token_bytes(16)
        oaep = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        return content_key, (public or self.gateway).encrypt(content_key, oaep)

    def send(self, method, path, body, forged=False):
        """Status and answer; 0 if the connection broke."""
        oauth = {
            "oauth_consumer_key": self.about["consumer_key"], "oauth_nonce": secrets.token_hex(12), "oauth_timestamp": str(int(time.time())),
            "oauth_signature_method": "RSA-SHA256", "oauth_version": "1.0",
            "oauth_body_hash": base64.b64encode(hashlib.sha256(body).digest()).decode(),
        }
        quote = lambda text: urllib.parse.quote(text, safe="~")
        parameters = "&".join(f"{quote(name)}={quote(value)}" for name, value in sorted(oauth.items()))
        base = "&".join([method, quote(self.url + path), quote(parameters)]).encode()
        signature = self.signing.sign(base + b"!" * forged, rsa_padding.PKCS1v15(), hashes.SHA256())
        oauth["oauth_signature"] = base64.b64encode(signature).decode()
        header = "OAuth " + ",".join(f'{name}="{quote(value)}"' for name, value in oauth.items())
        headers = {"Authorization": header, "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()
        except OSError:
            return 0, b""

    def enrol(self, key=None, **options):
        return self.send("POST", "/issuers/users", self.seal(self.enrolment(), key), **options)
