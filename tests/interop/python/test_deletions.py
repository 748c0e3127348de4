"""H3: deletions, a plain JSON array both ways, signed by the Python signer."""

import json
import uuid

from expect import GatewayTest
from support import MOUNTS, RSA_PSS, RSA_SHA256, Client, Jwe, enrolment, new_card

DELETIONS = "/issuers/user-deletions"


class Deletions(GatewayTest):
    def new_user(self):
        card = new_card(self.demo.issuer)
        library = Jwe(self.sandbox.certificate, self.demo.issuer)
        return self.assert_enrolled(self.demo.enrol(library, enrolment(card)), library, card)["userid"]

    def remove(self, ids, mount="", client=None):
        return (client or self.demo).send("POST", mount + DELETIONS, json.dumps(ids))

    def assert_accepted(self, answer, ids):
        self.assertEqual(answer.status_code, 202, answer.text)
        self.assertTrue(answer.headers["Content-Type"].startswith("application/json"))
        self.assertEqual(int(answer.headers["Content-Length"]), len(answer.content))
        self.assertEqual(answer.json(), ids)

    def test_H3_accepted(self):
        for method in (RSA_SHA256, RSA_PSS):
            client = Client(self.sandbox, "demo", method)
            for mount in MOUNTS:
                with self.subTest(method=method, mount=mount):
                    users = [self.new_user(), self.new_user()]
                    sent = [users[1], str(uuid.uuid4()), users[0].upper(), users[1]]
                    self.assert_accepted(self.remove(sent, mount, client), [users[1], users[0]])

    def test_H3_refused(self):
        self.assert_error(self.remove([str(uuid.uuid4())]), 404, "USER_NOT_FOUND")
        for size in (0, 501):
            elements = self.assert_error(self.remove([str(uuid.uuid4())] * size), 400, "INVALID_REQUEST_PARAMETER")
            self.assertEqual([element["Recoverable"] for element in elements], [True])
        elements = self.assert_error(self.remove([self.new_user(), "short", 7]), 400, "INVALID_REQUEST_PARAMETER")
        named = [(element["Details"].split(":")[0], element["Recoverable"]) for element in elements]
        self.assertEqual(named, [("[1]", False), ("[2]", False)])

    def test_H3_another_issuers_user(self):
        user = self.new_user()
        self.assert_error(self.remove([user], client=self.compat), 404, "USER_NOT_FOUND")
        self.assert_accepted(self.remove([user]), [user])
