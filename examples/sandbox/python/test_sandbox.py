"""ISSUER_GATEWAY=path/to/issuer-gateway python3 -m unittest"""

import json
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from sandbox import Sandbox

SEED = Path(__file__).resolve().parent.parent / "seed.toml"


class SandboxTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox(seed=SEED, seed_keys="ci")
        cls.addClassCleanup(cls.sandbox.stop)
        cls.http = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def test_the_seed_is_there_with_the_same_ids_each_time(self):
        jane = self.sandbox.description["cardholders"]["jane"]
        self.assertEqual(jane["issuer"], "acme")
        self.assertEqual(jane["userid"], "b9e3a66f-827f-4ba2-8a71-24eee5519685")
        self.assertTrue(self.sandbox.path(self.sandbox.description["issuers"]["acme"]["signing_key"]).exists())

    def test_a_client_sees_the_fault_that_it_asks_for_and_the_console_keeps_the_call(self):
        request = urllib.request.Request(self.sandbox.base_url + "/issuers", headers={"X-Sandbox-Fault": "unavailable=7"})
        with self.assertRaises(urllib.error.HTTPError) as busy:
            self.http.open(request)
        self.assertEqual((busy.exception.code, busy.exception.headers["Retry-After"]), (503, "7"))
        busy.exception.close()
        with self.http.open(self.sandbox.base_url + "/console/calls.json?refused=1") as answer:
            self.assertEqual(json.load(answer)["calls"][0]["fault"], "unavailable=7")


if __name__ == "__main__":
    unittest.main()
