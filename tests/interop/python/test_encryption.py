"""J2, J3, F1 to F3, F7, F8: what the Python library encrypts is enrolled, what the gateway encrypts it can read."""

import hashlib
import json

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from expect import GatewayTest
from support import MOUNTS, USERS, Fle, Jwe, enrolment, foreign_enrolment, new_card, postal_code_update

TOKENS = 40
FLE_MEMBERS = {"encryptedData", "iv", "encryptedKey", "oaepHashingAlgorithm", "publicKeyFingerprint"}


def key_fingerprint(private_key_file):
    with open(private_key_file, "rb") as pem:
        public_key = load_pem_private_key(pem.read(), password=None).public_key()
    return hashlib.sha256(public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


class Encryption(GatewayTest):
    def jwe(self, client, **changes):
        return Jwe(self.sandbox.certificate, client.issuer, **changes)

    def fle(self, client, **changes):
        return Fle(self.sandbox.certificate, client.issuer, **changes)

    def enrol_update_enrol(self, client, library, reader, mount):
        card = new_card(client.issuer)
        first = self.assert_enrolled(client.enrol(library, enrolment(card), mount), reader, card)
        changed = client.update(library, first["userid"], postal_code_update("PE7 8FT"), mount)
        self.assertEqual(self.assert_enrolled(changed, reader, card), first)
        self.assert_error(client.enrol(library, enrolment(card), mount), 400, "USER_ALREADY_EXISTS")

    def test_flow_demo_jwe(self):
        library = self.jwe(self.demo)
        for mount in MOUNTS:
            self.enrol_update_enrol(self.demo, library, library, mount)

    def test_flow_demo_fle(self):
        library = self.fle(self.demo)
        for mount in MOUNTS:
            self.enrol_update_enrol(self.demo, library, library, mount)

    def test_F8_flow_compat_fle_answered_in_the_clear(self):
        library = self.fle(self.compat, paths={"$": {"toEncrypt": {"$": "$"}, "toDecrypt": {}}})
        for mount in MOUNTS:
            self.enrol_update_enrol(self.compat, library, None, mount)
        card = new_card(self.compat.issuer)
        body = self.compat.enrol(library, enrolment(card)).json()
        self.assertEqual(library.open(json.loads(json.dumps(body))), body)

    def test_compat_with_decryption_switched_on_reads_clear_answers_unchanged(self):
        card = new_card(self.compat.issuer)
        for library in (self.fle(self.compat), self.jwe(self.compat)):
            body = self.compat.enrol(library, enrolment(card)).json()
            self.assertEqual(library.open(json.loads(json.dumps(body))), body)
            card = new_card(self.compat.issuer)

    def test_basic_enrols_short_and_may_not_update(self):
        library = self.jwe(self.basic)
        card = new_card(self.basic.issuer)
        clear = enrolment(card)
        for name in ("name", "billingAddress", "locale"):
            del clear[name]
        reference = self.assert_enrolled(self.basic.enrol(library, clear), library, card)
        refused = self.basic.update(library, reference["userid"], postal_code_update("11747"))
        self.assert_error(refused, 401, "UPDATE_USER_NOT_ACCESSIBLE")

    def test_J2_many_tokens(self):
        library = self.jwe(self.demo)
        for i in range(TOKENS):
            card = new_card(self.demo.issuer)
            self.assert_enrolled(self.demo.enrol(library, enrolment(card), MOUNTS[i % 2]), library, card)

    def test_J3_non_ascii_text(self):
        for library in (self.jwe(self.demo), self.fle(self.demo)):
            card = new_card(self.demo.issuer)
            self.assert_enrolled(self.demo.enrol(library, foreign_enrolment(card)), library, card)

    def test_J4_kid_variants(self):
        fingerprint = self.jwe(self.demo).config.encryption_key_fingerprint
        certificate = self.fle(self.demo).config.encryption_certificate_fingerprint
        for kid in (fingerprint.upper(), certificate, certificate.upper(), ""):
            library = self.jwe(self.demo, encryptionKeyFingerprint=kid)
            card = new_card(self.demo.issuer)
            self.assert_enrolled(self.demo.enrol(library, enrolment(card)), library, card)

    def test_J5_unknown_kid_is_refused(self):
        library = self.jwe(self.demo, encryptionKeyFingerprint="nobody")
        self.assert_error(self.demo.enrol(library, enrolment(new_card(self.demo.issuer))), 400, "CRYPTO_ERROR")

    def test_J7_one_answer_for_all_that_cannot_be_opened(self):
        library = self.jwe(self.demo)
        good = library.seal(enrolment(new_card(self.demo.issuer)))["encryptedData"]
        bodies = [
            library.seal(enrolment(new_card(self.demo.issuer), note=float("nan"))),
            library.seal([enrolment(new_card(self.demo.issuer))]),
            {"encryptedData": good[:-4]},
            {"encryptedData": good.rsplit(".", 1)[0]},
            self.fle(self.demo, oaepPaddingDigestAlgorithm="SHA1").seal(enrolment(new_card(self.demo.issuer))),
        ]
        texts = set()
        for body in bodies:
            answer = self.demo.send("POST", USERS, json.dumps(body))
            self.assert_error(answer, 400, "CRYPTO_ERROR")
            texts.add(answer.text)
        self.assertEqual(len(texts), 1)

    def test_J7_bodies_in_the_clear(self):
        for body in (enrolment(new_card(self.demo.issuer)), {}, []):
            self.assert_error(self.demo.send("POST", USERS, json.dumps(body)), 400, "INVALID_REQUEST_PARAMETER")

    def test_J10_errors_pass_through_the_library_unchanged(self):
        for library in (self.jwe(self.demo), self.fle(self.demo)):
            answer = self.demo.enrol(library, enrolment("4111111111111111"))
            self.assert_error(answer, 400, "INVALID_FPAN")
            self.assertEqual(library.open(answer.json()), answer.json())

    def test_J9_our_tokens(self):
        library = self.jwe(self.demo)
        body = self.json_object(self.demo.enrol(library, enrolment(new_card(self.demo.issuer))))
        self.assertEqual(list(body), ["encryptedData"])
        self.assertRegex(body["encryptedData"], r"^([A-Za-z0-9_-]+\.){4}[A-Za-z0-9_-]+$")

    def test_F1_F7_our_envelopes(self):
        library = self.fle(self.demo)
        card = new_card(self.demo.issuer)
        answer = self.demo.enrol(library, enrolment(card))
        self.assert_enrolled(answer, library, card)
        body = self.json_object(answer)
        self.assertEqual(set(body), FLE_MEMBERS)
        for name in ("encryptedData", "iv", "encryptedKey"):
            self.assertRegex(body[name], r"^[0-9a-f]+$")
        self.assertEqual(body["oaepHashingAlgorithm"], "SHA256")
        self.assertEqual(body["publicKeyFingerprint"], key_fingerprint(self.demo.issuer["decryption_key"]))

    def test_F1_F2_F4_configurations(self):
        configurations = [
            {"oaepPaddingDigestAlgorithm": "SHA-512"},
            {"oaepPaddingDigestAlgorithm": "sha512"},
            {"encryptionKeyFingerprintFieldName": None},
            {"oaepPaddingDigestAlgorithmFieldName": None},
            {"encryptionKeyFingerprintFieldName": None, "encryptionCertificateFingerprintFieldName": "publicKeyFingerprint"},
            {"dataEncoding": "BASE64"},
        ]
        for changes in configurations:
            with self.subTest(changes):
                card = new_card(self.compat.issuer)
                # Answered in the clear: how an answer is encoded is no part of this case.
                self.assert_enrolled(self.compat.enrol(self.fle(self.compat, **changes), enrolment(card)), None, card)

    def test_F2_sha512_in_and_our_sha256_out(self):
        library = self.fle(self.demo, oaepPaddingDigestAlgorithm="SHA-512")
        card = new_card(self.demo.issuer)
        self.assert_enrolled(self.demo.enrol(library, enrolment(card)), library, card)

    def test_F3_other_digests_cannot_be_opened(self):
        for digest in ("SHA1", "SHA224", "SHA384"):
            with self.subTest(digest):
                library = self.fle(self.demo, oaepPaddingDigestAlgorithm=digest)
                self.assert_error(self.demo.enrol(library, enrolment(new_card(self.demo.issuer))), 400, "CRYPTO_ERROR")

    def test_decryption_key_from_the_p12(self):
        issuer = self.demo.issuer
        p12 = {"decryptionKey": issuer["decryption_p12"], "decryptionKeyPassword": issuer["p12_password"]}
        for library in (self.jwe(self.demo, **p12), self.fle(self.demo, **p12)):
            card = new_card(issuer)
            self.assert_enrolled(self.demo.enrol(library, enrolment(card)), library, card)
