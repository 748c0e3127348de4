"""E1 to E3: jwcrypto encrypts to the sandbox's EC key (RFC 7518, 4.6), with the key out of the key set."""

import json

from jwcrypto import jwe, jwk

from expect import GatewayTest
from support import MOUNTS, Jwe, enrolment, new_card


class Ecdh:
    """A library whose requests are ECDH-ES, and whose answers are read as Mastercard's library reads them."""

    def __init__(self, key, reader, **header):
        self.key, self.reader = key, reader
        header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": key["kid"], **header}
        # None takes a member away.
        self.header = {name: value for name, value in header.items() if value is not None}

    def seal(self, clear):
        token = jwe.JWE(json.dumps(clear).encode(), json.dumps(self.header), recipient=self.key)
        return {"encryptedData": token.serialize(compact=True)}

    def open(self, body):
        return self.reader.open(body)


class EllipticCurves(GatewayTest):
    def setUp(self):
        keys = self.demo.http.get(self.sandbox.base_url + "/.well-known/jwks.json", timeout=30).json()["keys"]
        self.keys = {key["kty"]: jwk.JWK(**key) for key in keys}
        self.reader = Jwe(self.sandbox.certificate, self.demo.issuer)

    def library(self, **options):
        return Ecdh(self.keys["EC"], self.reader, **options)

    def test_E1_both_algorithms_with_and_without_names(self):
        for alg in ("ECDH-ES", "ECDH-ES+A256KW"):
            for names in ({}, {"apu": "QWxpY2U", "apv": "Qm9i"}):
                for mount in MOUNTS:
                    card = new_card(self.demo.issuer)
                    answer = self.demo.enrol(self.library(alg=alg, **names), enrolment(card), mount)
                    self.assert_enrolled(answer, self.reader, card)

    def test_E2_without_kid_the_primary_key_of_the_curve_is_meant(self):
        card = new_card(self.demo.issuer)
        answer = self.demo.enrol(self.library(kid=None), enrolment(card))
        self.assert_enrolled(answer, self.reader, card)

    def test_E3_what_is_not_offered_is_refused(self):
        for changes in ({"alg": "ECDH-ES+A128KW"}, {"enc": "A128GCM"}, {"enc": "A256CBC-HS512"}):
            answer = self.demo.enrol(self.library(**changes), enrolment(new_card(self.demo.issuer)))
            self.assert_error(answer, 400, "CRYPTO_ERROR")
        # The kid of the RSA key, and a key of another curve under our kid.
        foreign = jwk.JWK.generate(kty="EC", crv="P-384", kid=self.keys["EC"]["kid"])
        for library in (self.library(kid=self.keys["RSA"]["kid"]), Ecdh(foreign, self.reader)):
            answer = self.demo.enrol(library, enrolment(new_card(self.demo.issuer)))
            self.assert_error(answer, 400, "CRYPTO_ERROR")
