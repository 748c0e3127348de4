"""An issuer's own profile: plain JSON, signed by OAuth1RSA; GET has no body (cce-api.md 3.6 to 3.8)."""

import json

from expect import GatewayTest
from support import MOUNTS, RSA_PSS, RSA_SHA256, Client

ISSUERS = "/issuers"


class Profile(GatewayTest):
    def profile(self, answer):
        self.assertEqual(answer.status_code, 200, answer.text)
        return self.json_object(answer)

    def test_show_and_change(self):
        for method in (RSA_SHA256, RSA_PSS):
            client = Client(self.sandbox, "compat", method)
            for mount in MOUNTS:
                with self.subTest(method=method, mount=mount):
                    before = self.profile(client.send("GET", mount + ISSUERS, None))
                    change = {"privacyNoticeURL": "https://compat.example/é", "preferredTheme": {"own": "łódź"}}
                    changed = self.profile(client.send("PUT", mount + ISSUERS, json.dumps(change)))
                    self.assertEqual(changed["privacyNoticeURL"], change["privacyNoticeURL"])
                    self.assertEqual(changed["preferredTheme"], {**before["preferredTheme"], "own": "łódź"})
                    after = self.profile(client.send("GET", mount + ISSUERS, None))
                    self.assertEqual({**after, **changed}, after)
                    self.assertEqual(after["supportedAccountRange"], before["supportedAccountRange"])

    def test_all_violations_at_once(self):
        change = {"optOutURL": "nowhere", "supportedAccountRange": "12", "preferredTheme": {"fontColor": "red"}}
        refused = self.demo.send("PUT", ISSUERS, json.dumps(change))
        self.assertEqual(len(self.assert_error(refused, 400, "INVALID_REQUEST_PARAMETER")), 3)
