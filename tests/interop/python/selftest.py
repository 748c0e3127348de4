"""Checks the suite's own tools without a server: what they encrypt opens with the same keys, what they sign verifies."""

import base64
import re
import unittest
from pathlib import Path
from urllib.parse import quote, unquote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from oauth1.oauth import OAuth

from support import Fle, Jwe, card_number, enrolment, foreign_enrolment, with_check_digit

KEYS = Path(__file__).resolve().parents[2] / "keys"
CERTIFICATE = str(KEYS / "gateway-cert.pem")
ISSUER = {"decryption_key": str(KEYS / "gateway.pem")}  # one key pair on both ends


class SelfTest(unittest.TestCase):
    def test_luhn(self):
        self.assertEqual(with_check_digit("222300644884252"), "2223006448842520")  # cce-api.md section 9

    def test_libraries_read_what_they_wrote(self):
        card = card_number("534403", 1)
        digests = [{"oaepPaddingDigestAlgorithm": name} for name in ("SHA-512", "SHA1", "SHA384")]
        libraries = [Jwe(CERTIFICATE, ISSUER)] + [Fle(CERTIFICATE, ISSUER, **changes) for changes in [{}, *digests]]
        for library in libraries:
            for clear in (enrolment(card), foreign_enrolment(card)):
                self.assertEqual(library.open(library.seal(clear)), clear)

    def test_signer(self):
        key = load_pem_private_key((KEYS / "issuer-signing.pem").read_bytes(), password=None)
        url = "http://127.0.0.1:8080/issuers/users"
        header = OAuth.get_authorization_header(url, "POST", '{"a":1}', "client!key", key)
        members = {name: unquote(value) for name, value in re.findall(r'([a-z_]+)="([^"]*)"', header)}
        signature = base64.b64decode(members.pop("oauth_signature"))
        pairs = "&".join(f"{name}={value}" for name, value in sorted(members.items()))
        base = "&".join(["POST", quote(url, safe="~"), quote(pairs, safe="~")])
        key.public_key().verify(signature, base.encode(), padding.PKCS1v15(), hashes.SHA256())


if __name__ == "__main__":
    unittest.main()
