// Card transactions by Mastercard's Node libraries: a batch goes in, its answer is read, and the month has a score.
import assert from "node:assert/strict";
import { enrolment, newCard } from "../lib/cards.mjs";
import { fle, jwe, open, seal } from "../lib/encryption.mjs";
import { MOUNTS, assertEnrolled, assertError, call, enrol, jsonObject } from "../lib/gateway.mjs";

const TARGET = "/issuers/transactions";

function purchase(number, changes) {
  return {
    transactionId: `node-${number}`,
    mcc: "5411",
    amount: { value: 54.2, currencyCode: "USD" },
    date: "2026-01-15",
    indicator: "CL",
    countryISOCode: "USA",
    ...changes,
  };
}

function post(issuer, library, clear, mount = "") {
  const sealed = seal(library, clear);
  return call(issuer, "POST", mount + TARGET, JSON.stringify(sealed.body), { headers: sealed.headers });
}

export default async function transactions(t, { issuers }) {
  const { demo, compat } = issuers;
  for (const [name, library] of [["JWE", jwe(demo)], ["FLE, hex", fle(demo)], ["FLE, base64", fle(demo, { dataEncoding: "base64" })]]) {
    for (const mount of MOUNTS) {
      await t.case(`a batch in ${name} under ${mount || "the root"} is scored, and again counts once`, async () => {
        const card = newCard(demo);
        const { userid } = assertEnrolled(await enrol(demo, library, enrolment(card)), library, card);
        const today = new Date().toISOString().slice(0, 10);
        const items = [
          purchase(1, { userid }),
          purchase(2, { cardNumber: card, date: today, merchantName: "Café Zoë" }),
          purchase(3, { userid, amount: { value: "much", currencyCode: "USD" } }),
        ];
        const read = (answer) => {
          assert.equal(answer.status, 200, answer.text);
          return open(library, jsonObject(answer)).transactions;
        };
        const first = read(await post(demo, library, { transactions: items }, mount));
        assert.deepEqual(first.map((one) => one.scoreStatus), ["SUCCESS", "SUCCESS", "FAILURE"]);
        assert.equal(first[0].carbonEmissionInGrams, 24213.32);
        assert.match(first[2].errorDescription, /^amount\.value: /);
        assert.deepEqual(read(await post(demo, library, { transactions: items }, mount)), first);

        const score = await call(demo, "GET", `${mount}/issuers/users/${userid}/aggregate-carbon-scores`, "");
        assert.equal(score.status, 200, score.text);
        assert.equal(Number(jsonObject(score).carbonEmissionInGrams), first[1].carbonEmissionInGrams);
      });
    }
  }

  await t.case("another issuer's user has no transactions and no score", async () => {
    const card = newCard(demo);
    const { userid } = assertEnrolled(await enrol(demo, jwe(demo), enrolment(card)), jwe(demo), card);
    const answer = await post(compat, jwe(compat), { transactions: [purchase(1, { userid })] });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(jsonObject(answer).transactions[0].errorCode, "PAYMENT_CARD_NOT_FOUND");
    assertError(await call(compat, "GET", `/issuers/users/${userid}/aggregate-carbon-scores`, ""), 404, "USER_NOT_FOUND");
    assertError(await post(demo, jwe(demo), { transactions: [] }), 400, "INVALID_REQUEST_PARAMETER");
  });
}
