"""Assertions on answers, shared by the test classes."""

import re
import unittest

from support import OUR_SOURCE, Client, load_sandbox

UUID4 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")


class GatewayTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.sandbox = load_sandbox()
        cls.demo = Client(cls.sandbox, "demo")
        cls.compat = Client(cls.sandbox, "compat")
        cls.basic = Client(cls.sandbox, "basic")

    def json_object(self, answer):
        """wire-formats.md rule 8: a JSON object with Content-Length, whatever the status."""
        self.assertTrue(answer.headers.get("Content-Type", "").lower().startswith("application/json"), answer.text)
        self.assertEqual(int(answer.headers["Content-Length"]), len(answer.content))
        body = answer.json()
        self.assertIsInstance(body, dict)
        return body

    def assert_enrolled(self, answer, library, card):
        """A 200 with a UserReference for this card; `library` None means it is expected in the clear."""
        self.assertEqual(answer.status_code, 200, answer.text)
        body = self.json_object(answer)
        if library:
            self.assertIn("encryptedData", body)
            body = library.open(body)
        self.assertEqual(set(body), {"userid", "cardNumberLastFourDigits", "status"})
        self.assertRegex(body["userid"], UUID4)
        self.assertEqual((body["cardNumberLastFourDigits"], body["status"]), (card[-4:], "ACTIVE"))
        return body

    def error_elements(self, answer):
        body = self.json_object(answer)
        self.assertEqual(list(body), ["Errors"], answer.text)
        elements = body["Errors"]["Error"]
        self.assertTrue(elements)
        for element in elements:
            self.assertIsInstance(element["Source"], str)
            self.assertIsInstance(element["ReasonCode"], str)
            self.assertIsInstance(element["Recoverable"], bool)
            self.assertTrue(10 <= len(element["Description"]) <= 1000)
        return elements

    def assert_error(self, answer, status, reason_code, source=OUR_SOURCE):
        elements = self.error_elements(answer)
        self.assertEqual(answer.status_code, status, answer.text)
        for element in elements:
            self.assertEqual((element["ReasonCode"], element["Source"]), (reason_code, source), answer.text)
        return elements
