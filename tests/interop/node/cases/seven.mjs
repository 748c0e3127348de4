// H4: all seven operations in a row, as Mastercard's reference application makes them, with its libraries; F7: the dashboard's
// answer is encrypted though the request has no body.
import assert from "node:assert/strict";
import { enrolment, newCard, postalCodeUpdate } from "../lib/cards.mjs";
import { ENCRYPT_ONLY, fle } from "../lib/encryption.mjs";
import { MOUNTS, assertEnrolled, assertError, call, enrol, jsonObject, update } from "../lib/gateway.mjs";

export default async function seven(t, { issuers: { compat } }) {
  const writer = fle(compat, ENCRYPT_ONLY);
  const ok = (answer, status = 200) => {
    assert.equal(answer.status, status, answer.text);
    return JSON.parse(answer.text);
  };

  for (const mount of MOUNTS) {
    await t.case(`H4 seven calls at ${mount || "the root"}`, async () => {
      const get = (path) => call(compat, "GET", mount + path);
      ok(await get("/issuers"));
      ok(await call(compat, "PUT", `${mount}/issuers`, JSON.stringify({ optOutURL: "https://compat.example/out" })));
      const card = newCard(compat);
      const { userid } = assertEnrolled(await enrol(compat, writer, enrolment(card), { mount }), null, card);
      assertEnrolled(await update(compat, writer, userid, postalCodeUpdate("11747"), { mount }), null, card);
      // The application sends the language of its environment.
      for (const lang of ["?lang=sv", "?lang=C.UTF-8", ""]) {
        const path = `/issuers/users/${userid}/dashboards`;
        const body = jsonObject(await get(path + lang));
        for (const field of ["encryptedData", "encryptedKey", "iv"]) assert.match(body[field], /^[0-9a-f]+$/, field);
        const request = { url: path.replace(userid, "id") };
        const reader = fle(compat, { paths: [{ path: "/dashboards", toEncrypt: [], toDecrypt: [{ element: "$", obj: "$" }] }] });
        const { url, expiryInMillis } = reader.decrypt({ request, header: {}, body: structuredClone(body) });
        assert.equal(expiryInMillis, "900000");
        const opened = await fetch(url, { redirect: "manual" });
        assert.equal(opened.status, 303);
        assert.equal((await fetch(new URL(opened.headers.get("location"), url))).status, 401, "without its cookie");
        assert.ok(url.includes("/home/?auth_token="));
      }
      const score = ok(await get(`/issuers/users/${userid}/aggregate-carbon-scores`));
      assert.equal(score.carbonEmissionInGrams, "0");
      assert.match(score.aggregateDate, /^[a-z]+-\d{4}$/);
      ok(await call(compat, "POST", `${mount}/issuers/user-deletions`, JSON.stringify([userid])), 202);
      const gone = await get(`/issuers/users/${userid}/dashboards`);
      assert.ok([401, 404].includes(gone.status), gone.text);
    });
  }
  await t.case("F7 a dashboard of nobody is refused in the clear", async () => {
    const path = "/issuers/users/00000000-0000-4000-8000-000000000000/dashboards";
    assertError(await call(compat, "GET", path), 404, "USER_NOT_FOUND");
  });
}
