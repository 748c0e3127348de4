// H1, H2: what the HTTP layer itself says. Official clients die on anything but a JSON object (wire-formats.md 4.3).
import assert from "node:assert/strict";
import { enrolment, newCard, postalCodeUpdate } from "../lib/cards.mjs";
import { jwe, seal } from "../lib/encryption.mjs";
import { GATEWAY_SOURCE, MOUNTS, USERS, assertEnrolled, assertError, call, errorElements, jsonObject, post, update } from "../lib/gateway.mjs";
import { send } from "../lib/http.mjs";

export default async function httpCases(t, { issuers, base_url }) {
  const { demo } = issuers;
  const library = jwe(demo);
  const sealed = (card) => JSON.stringify(seal(library, enrolment(card)).body);

  /** An answer of this status in the error shape; the reason code is the server's own choice. */
  function assertShaped(answer, status) {
    assert.equal(answer.status, status, answer.text);
    errorElements(answer);
  }

  for (const mount of MOUNTS) {
    const at = mount || "the root";
    await t.case(`H1 at ${at}: 400 for a body that is no JSON`, async () => {
      for (const body of ["", "{", "encryptedData", "\u0000", '{"encryptedData":"x"} trailing']) assertShaped(await post(demo, body, { mount }), 400);
    });
    await t.case(`H1 at ${at}: 400 for bytes that are no UTF-8`, async () => {
      const body = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
      assertShaped(await call(demo, "POST", mount + USERS, body), 400);
    });
    await t.case(`H1 at ${at}: 400 for a user id of the wrong form`, async () => {
      const refused = await update(demo, library, "c8b38606-12b2-43c6-a641-be8eb0ab9dec12", postalCodeUpdate("11747"), { mount });
      assertError(refused, 400, "INVALID_REQUEST_PARAMETER");
    });
    await t.case(`H1 at ${at}: 401 without a signature`, async () => {
      const answer = await send(base_url, { method: "POST", target: mount + USERS, body: "{}", headers: { "Content-Type": "application/json" } });
      assertError(answer, 401, "AUTHENTICATION_FAILED", GATEWAY_SOURCE);
    });
    await t.case(`H1 at ${at}: 404 for unknown routes, signed or not`, async () => {
      for (const target of ["/nowhere", "/issuers/users/a/b/c", "/issuers/user", "/ISSUERS/users"]) {
        assertShaped(await call(demo, "POST", mount + target, "{}"), 404);
        assertShaped(await send(base_url, { method: "GET", target: mount + target }), 404);
      }
    });
    await t.case(`H1 at ${at}: 405 for other methods`, async () => {
      for (const method of ["GET", "DELETE", "PATCH"]) assertShaped(await call(demo, method, mount + USERS), 405);
      for (const method of ["POST", "DELETE"]) assertShaped(await call(demo, method, `${mount}${USERS}/c8b38606-12b2-43c6-a641-be8eb0ab9dec`), 405);
    });
    await t.case(`H1 at ${at}: 413 for a body over 64 KiB`, async () => {
      assertShaped(await post(demo, JSON.stringify({ encryptedData: "x".repeat(66_000) }), { mount }), 413);
    });
    await t.case(`H1 at ${at}: 415 for anything but JSON`, async () => {
      const card = newCard(demo);
      const body = sealed(card);
      for (const contentType of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "application/jose", null]) {
        assertError(await post(demo, body, { mount, contentType }), 415, "UNSUPPORTED_MEDIA_TYPE");
      }
      assertEnrolled(await post(demo, body, { mount }), library, card);
    });
    await t.case(`H2 at ${at}: JSON with a charset, in any case`, async () => {
      for (const contentType of ["application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON"]) {
        const card = newCard(demo);
        assertEnrolled(await post(demo, sealed(card), { mount, contentType }), library, card);
      }
    });
  }

  await t.case("H2 GET with Content-Type and without a body", async () => {
    for (const target of ["/health/ready", "/health/live"]) {
      const answer = await send(base_url, { method: "GET", target, headers: { "Content-Type": "application/json" } });
      assert.equal(answer.status, 200, answer.text);
      jsonObject(answer);
    }
  });
  await t.case("a client that takes no compression reads the answer", async () => {
    const card = newCard(demo);
    const answer = await post(demo, sealed(card), { headers: { "Accept-Encoding": "identity", Accept: "application/json" } });
    assertEnrolled(answer, library, card);
  });
}
