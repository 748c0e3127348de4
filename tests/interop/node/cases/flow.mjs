// What an issuer server does all day (cce-api.md 3.1 to 3.3, 7.1): enrol, change the postal code, the same card again.
import assert from "node:assert/strict";
import { enrolment, foreignEnrolment, newCard, postalCodeUpdate, shortEnrolment } from "../lib/cards.mjs";
import { ENCRYPT_ONLY, fle, jwe } from "../lib/encryption.mjs";
import { MOUNTS, assertEnrolled, assertError, enrol, update } from "../lib/gateway.mjs";
import { p12Alias, p12Key } from "../lib/sandbox.mjs";

export default async function flow(t, { issuers }) {
  const { demo, compat, basic } = issuers;

  async function enrolUpdateEnrol(issuer, library, reader, mount) {
    const card = newCard(issuer);
    const first = assertEnrolled(await enrol(issuer, library, enrolment(card), { mount }), reader, card);
    const changed = await update(issuer, library, first.userid, postalCodeUpdate("PE7 8FT"), { mount });
    assert.deepEqual(assertEnrolled(changed, reader, card), first);
    const [taken] = assertError(await enrol(issuer, library, enrolment(card), { mount }), 400, "USER_ALREADY_EXISTS");
    assert.ok(taken.Details.endsWith(first.userid), taken.Details);
  }

  for (const mount of MOUNTS) {
    const at = mount || "the root";
    await t.case(`flow at ${at}: demo, JWE, answers mirrored`, () => enrolUpdateEnrol(demo, jwe(demo), jwe(demo), mount));
    await t.case(`flow at ${at}: demo, FLE, answers mirrored`, () => enrolUpdateEnrol(demo, fle(demo), fle(demo), mount));
    await t.case(`F8 flow at ${at}: compat, FLE, toEncrypt only, answers read unchanged`, async () => {
      const library = fle(compat, ENCRYPT_ONLY);
      await enrolUpdateEnrol(compat, library, null, mount);
      const card = newCard(compat);
      const body = JSON.parse((await enrol(compat, library, enrolment(card), { mount })).text);
      assert.deepEqual(library.decrypt({ request: { url: "/issuers/users" }, header: {}, body: structuredClone(body) }), body);
    });
    await t.case(`flow at ${at}: basic enrols without name, address and locale`, async () => {
      for (const library of [jwe(basic), fle(basic)]) {
        const card = newCard(basic);
        assertEnrolled(await enrol(basic, library, shortEnrolment(card), { mount }), library, card);
      }
    });
    await t.case(`flow at ${at}: basic may not update`, async () => {
      const card = newCard(basic);
      const { userid } = assertEnrolled(await enrol(basic, jwe(basic), enrolment(card), { mount }), jwe(basic), card);
      const refused = await update(basic, jwe(basic), userid, postalCodeUpdate("11747"), { mount });
      assertError(refused, 401, "UPDATE_USER_NOT_ACCESSIBLE");
    });
  }

  await t.case("a user enrolled at the root is updated under /cts", async () => {
    const card = newCard(demo);
    const { userid } = assertEnrolled(await enrol(demo, jwe(demo), enrolment(card)), jwe(demo), card);
    const changed = await update(demo, fle(demo), userid.toUpperCase(), postalCodeUpdate("11747"), { mount: "/cts" });
    assert.equal(assertEnrolled(changed, fle(demo), card).userid, userid);
  });

  await t.case("another issuer's user looks like none at all", async () => {
    const card = newCard(demo);
    const { userid } = assertEnrolled(await enrol(demo, jwe(demo), enrolment(card)), jwe(demo), card);
    const foreign = await update(compat, jwe(compat), userid, postalCodeUpdate("11747"));
    assertError(foreign, 404, "USER_NOT_FOUND");
    const absent = await update(compat, jwe(compat), "00000000-0000-4000-8000-000000000000", postalCodeUpdate("11747"));
    assert.equal(absent.text, foreign.text);
  });

  await t.case("keys from the .p12 files: encrypt, sign, decrypt", async () => {
    const library = jwe(demo, {
      privateKey: undefined,
      keyStore: demo.decryption_p12,
      keyStorePassword: demo.p12_password,
      keyStoreAlias: p12Alias(demo.decryption_p12, demo.p12_password),
    });
    const card = newCard(demo);
    const key = p12Key(demo.signing_p12, demo.p12_password);
    assertEnrolled(await enrol(demo, library, enrolment(card), { key }), library, card);
  });

  await t.case("J3 non-ASCII text enrols in both envelopes", async () => {
    for (const library of [jwe(demo), fle(demo)]) {
      const card = newCard(demo);
      assertEnrolled(await enrol(demo, library, foreignEnrolment(card)), library, card);
    }
  });

  await t.case("J10 errors stay in the clear, one element for each violation", async () => {
    for (const library of [jwe(demo), fle(demo)]) {
      const missing = await enrol(demo, library, shortEnrolment(newCard(demo)));
      assert.equal(assertError(missing, 400, "INVALID_REQUEST_PARAMETER").length, 3, missing.text);
      assertError(await enrol(demo, library, enrolment(newCard(demo) + "0")), 400, "INVALID_REQUEST_PARAMETER");
      assertError(await enrol(demo, library, enrolment(newCard(basic))), 400, "INVALID_FPAN");
    }
  });
}
