"""What every case of the Python suite needs: the sandbox, sample cards, the official libraries configured, one call."""

import json
import os
import random
from pathlib import Path

import requests
from client_encryption import field_level_encryption, jwe_encryption
from client_encryption.field_level_encryption_config import FieldLevelEncryptionConfig
from client_encryption.jwe_encryption_config import JweEncryptionConfig
from oauth1.authenticationutils import load_signing_key
from oauth1.oauth import SignatureMethod
from oauth1.oauth_ext import OAuth1RSA

RSA_SHA256 = SignatureMethod.RSA_SHA256
RSA_PSS = SignatureMethod.RSA_PSS_SHA256

MOUNTS = ["", "/cts"]
USERS = "/issuers/users"
OUR_SOURCE = "CARBON CALCULATOR EXPERIENCE"
GATEWAY_SOURCE = "Gateway"


class Sandbox:
    """sandbox.json with absolute paths, the contract that `issuer-gateway sandbox` writes for tools."""

    def __init__(self, path):
        folder = Path(path).resolve().parent
        data = json.loads(Path(path).read_text())
        self.base_url = data["base_url"]
        self.certificate = str(folder / data["gateway"]["certificate"])
        self.issuers = data["issuers"]
        for issuer in self.issuers.values():
            for key in ("signing_key", "signing_p12", "decryption_key", "decryption_p12"):
                issuer[key] = str(folder / issuer[key])


def load_sandbox():
    return Sandbox(os.environ["INTEROP_SANDBOX"])


# Cards. The Node suite draws from the lower half of the serials, this one from the upper half.
_serial = random.randrange(500_000_000, 800_000_000)


def with_check_digit(digits):
    """Completes 15 digits with the Luhn check digit."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)  # the rightmost of the 15 is doubled
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def card_number(account_range, serial):
    return with_check_digit(account_range + str(serial).zfill(15 - len(account_range)))


def new_card(issuer):
    """A card number nobody used in this run, in one of the issuer's account ranges."""
    global _serial
    _serial += 1
    ranges = issuer["account_ranges"]
    return card_number(ranges[_serial % len(ranges)], _serial)


def enrolment(card, **changes):
    """A complete enrolment (cce-api.md 3.1)."""
    return {
        "email": {"type": "home", "value": "grace.hopper@example.com"},
        "name": {"firstName": "Grace", "lastName": "Hopper"},
        "cardholderName": "Grace Hopper",
        "cardNumber": card,
        "cardBaseCurrency": "USD",
        "expiryInfo": {"month": "11", "year": "2099"},
        "billingAddress": {
            "countryCode": "USA",
            "type": "work",
            "postalCode": "11746",
            "state": "New York",
            "city": "Brooklyn",
            "line1": "83 Mayfair Street",
        },
        "locale": "en-US",
        **changes,
    }


def foreign_enrolment(card):
    """Accents, CJK and emoji where the field rules allow them."""
    address = {
        "countryCode": "POL",
        "type": "home",
        "postalCode": "00950",
        "city": "Łódź, Żabieniec",
        "state": "東京都千代田区",
        "line1": 'Café "Zoë" \\ A/B & C',
        "line2": "Wohnung 🌱 3",
    }
    return enrolment(card, name={"firstName": "Aoife", "lastName": "O\u2019Neil"}, billingAddress=address)


def postal_code_update(postal_code):
    """An update that changes nothing but the postal code (cce-api.md 3.2)."""
    sample = enrolment("")
    address = {**sample["billingAddress"], "postalCode": postal_code}
    return {"name": sample["name"], "locale": sample["locale"], "billingAddress": address}


class Jwe:
    """The library's JWE, whole body in and out. `changes` override members of its config."""

    def __init__(self, certificate, issuer, **changes):
        self.config = JweEncryptionConfig(
            {
                "paths": {"$": {"toEncrypt": {"$": "$"}, "toDecrypt": {"encryptedData": "$"}}},
                "encryptedValueFieldName": "encryptedData",
                "encryptionCertificate": certificate,
                "decryptionKey": issuer["decryption_key"],
                **changes,
            }
        )

    def seal(self, clear):
        return jwe_encryption.encrypt_payload(clear, self.config)

    def open(self, body):
        return jwe_encryption.decrypt_payload(body, self.config)


class Fle:
    """The library's field-level encryption with the CCE names, hex, SHA-256 (wire-formats.md 2)."""

    def __init__(self, certificate, issuer, **changes):
        config = {
            "paths": {"$": {"toEncrypt": {"$": "$"}, "toDecrypt": {"$": "$"}}},
            "encryptedValueFieldName": "encryptedData",
            "encryptedKeyFieldName": "encryptedKey",
            "ivFieldName": "iv",
            "oaepPaddingDigestAlgorithmFieldName": "oaepHashingAlgorithm",
            "encryptionKeyFingerprintFieldName": "publicKeyFingerprint",
            "oaepPaddingDigestAlgorithm": "SHA-256",
            "dataEncoding": "HEX",
            "encryptionCertificate": certificate,
            "decryptionKey": issuer["decryption_key"],
            **changes,
        }
        # None takes a member away: the library tells that from an empty one.
        self.config = FieldLevelEncryptionConfig({k: v for k, v in config.items() if v is not None})

    def seal(self, clear):
        return field_level_encryption.encrypt_payload(clear, self.config)

    def open(self, body):
        return field_level_encryption.decrypt_payload(body, self.config)


class Client:
    """One issuer server: encrypts, signs with OAuth1RSA, sends through `requests`."""

    def __init__(self, sandbox, name, signature_method=RSA_SHA256):
        self.sandbox = sandbox
        self.issuer = sandbox.issuers[name]
        self.key = load_signing_key(self.issuer["signing_p12"], self.issuer["p12_password"])
        self.auth = OAuth1RSA(self.issuer["consumer_key"], self.key, signature_method)
        self.http = requests.Session()
        self.http.trust_env = False  # a proxy from the environment has no business between us and loopback

    def send(self, method, target, body, auth=None, headers=None):
        """Sends `body` (text or bytes, as it is) to a target path, signed unless another `auth` is given."""
        return self.http.request(
            method,
            self.sandbox.base_url + target,
            data=body,
            auth=auth or self.auth,
            headers={"Content-Type": "application/json", **(headers or {})},
            timeout=30,
        )

    def enrol(self, library, clear, mount="", query="", **options):
        return self.send("POST", mount + USERS + query, json.dumps(library.seal(clear)), **options)

    def update(self, library, userid, clear, mount="", **options):
        return self.send("PUT", f"{mount}{USERS}/{userid}", json.dumps(library.seal(clear)), **options)
