"""Card transactions by Mastercard's Python libraries: a batch goes in, its answer is read, and the month has a score."""

import json
import unittest
from datetime import date, datetime, timezone

from expect import GatewayTest
from support import Fle, Jwe, enrolment, new_card

TARGET = "/issuers/transactions"


class Transactions(GatewayTest):
    def purchase(self, number, **changes):
        return {
            "transactionId": f"interop-{number}",
            "mcc": "5411",
            "amount": {"value": 54.20, "currencyCode": "USD"},
            "date": "2026-01-15",
            "indicator": "CL",
            "countryISOCode": "USA",
            **changes,
        }

    def test_a_batch_is_scored_in_either_envelope(self):
        certificate, issuer = self.sandbox.certificate, self.demo.issuer
        for library in (Jwe(certificate, issuer), Fle(certificate, issuer), Fle(certificate, issuer, dataEncoding="BASE64")):
            card = new_card(issuer)
            userid = self.assert_enrolled(self.demo.enrol(library, enrolment(card)), library, card)["userid"]
            today = datetime.now(timezone.utc).date().isoformat()
            items = [
                self.purchase(1, userid=userid),
                self.purchase(2, cardNumber=card, date=today, merchantName="Café Zoë"),
                self.purchase(3, userid=userid, mcc="6011"),
                self.purchase(4, userid=userid, mcc="groceries"),
            ]
            body = json.dumps(library.seal({"transactions": items}))
            answer = self.demo.send("POST", TARGET, body)
            self.assertEqual(answer.status_code, 200, answer.text)
            outcomes = library.open(self.json_object(answer))["transactions"]
            self.assertEqual([one["transactionId"] for one in outcomes], [one["transactionId"] for one in items])
            self.assertEqual([one["scoreStatus"] for one in outcomes], ["SUCCESS", "SUCCESS", "SUCCESS", "FAILURE"])
            self.assertEqual(outcomes[0]["carbonEmissionInGrams"], 24213.32)
            self.assertEqual(outcomes[2]["confidence"], "none")
            self.assertTrue(outcomes[3]["errorDescription"].startswith("mcc: "), outcomes[3])

            score = self.demo.send("GET", f"/issuers/users/{userid}/aggregate-carbon-scores", None)
            self.assertEqual(score.status_code, 200, score.text)
            month = f"{date.fromisoformat(today):%B-%Y}".lower()
            self.assertEqual(score.json()["aggregateDate"], month)
            self.assertEqual(float(score.json()["carbonEmissionInGrams"]), outcomes[1]["carbonEmissionInGrams"])

    def test_a_full_batch(self):
        library = Jwe(self.sandbox.certificate, self.demo.issuer)
        card = new_card(self.demo.issuer)
        userid = self.assert_enrolled(self.demo.enrol(library, enrolment(card)), library, card)["userid"]
        items = [self.purchase(number, userid=userid) for number in range(5_000)]
        answer = self.demo.send("POST", TARGET, json.dumps(library.seal({"transactions": items})))
        self.assertEqual(answer.status_code, 200, answer.text[:500])
        outcomes = library.open(self.json_object(answer))["transactions"]
        self.assertEqual(len(outcomes), 5_000)
        self.assertEqual({one["scoreStatus"] for one in outcomes}, {"SUCCESS"})


if __name__ == "__main__":
    unittest.main()
