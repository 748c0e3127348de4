// H3: deletions, a plain JSON array both ways, signed like every other call.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { enrolment, newCard } from "../lib/cards.mjs";
import { jwe } from "../lib/encryption.mjs";
import { MOUNTS, assertEnrolled, assertError, call, enrol } from "../lib/gateway.mjs";
import { RSA_PSS, RSA_SHA256 } from "../lib/oauth.mjs";

const DELETIONS = "/issuers/user-deletions";

/** A 202 with exactly these ids. */
function assertAccepted(answer, ids) {
  assert.equal(answer.status, 202, answer.text);
  assert.match(answer.headers["content-type"] ?? "", /^application\/json\b/i);
  assert.equal(Number(answer.headers["content-length"]), answer.raw.length, "Content-Length");
  assert.deepEqual(JSON.parse(answer.text), ids);
}

export default async function deletionCases(t, { issuers }) {
  const { demo } = issuers;
  const library = jwe(demo);
  const newUser = async (card = newCard(demo)) => assertEnrolled(await enrol(demo, library, enrolment(card)), library, card).userid;
  const remove = (ids, { mount = "", ...options } = {}) => call(demo, "POST", mount + DELETIONS, JSON.stringify(ids), options);

  for (const mount of MOUNTS) {
    for (const signatureMethod of [RSA_SHA256, RSA_PSS]) {
      await t.case(`H3 deletions at ${mount || "the root"}, ${signatureMethod}`, async () => {
        const users = [await newUser(), await newUser()];
        const sent = [users[1], randomUUID(), users[0].toUpperCase(), users[1]];
        assertAccepted(await remove(sent, { mount, signatureMethod }), [users[1], users[0]]);
      });
    }
  }
  await t.case("H3 a list of 500 ids", async () => {
    const user = await newUser();
    assertAccepted(await remove([...Array.from({ length: 499 }, () => randomUUID()), user]), [user]);
  });
  await t.case("H3 lists that are refused", async () => {
    assertError(await remove([randomUUID()]), 404, "USER_NOT_FOUND");
    for (const list of [[], Array.from({ length: 501 }, () => randomUUID())]) {
      const [{ Recoverable }] = assertError(await remove(list), 400, "INVALID_REQUEST_PARAMETER");
      assert.equal(Recoverable, true);
    }
    const elements = assertError(await remove([await newUser(), "4ba581a55-8d1c-4d63-a6a3-3a8d3ac3ee36", 7]), 400, "INVALID_REQUEST_PARAMETER");
    assert.deepEqual(elements.map(({ Details, Recoverable }) => [Details.split(":")[0], Recoverable]), [["[1]", false], ["[2]", false]]);
  });
  await t.case("H3 a deleted card enrols again under a new id", async () => {
    const card = newCard(demo);
    const user = await newUser(card);
    assertAccepted(await remove([user]), [user]);
    // Until the user is erased the card is taken.
    const deadline = Date.now() + 30_000;
    let answer;
    do answer = await enrol(demo, library, enrolment(card));
    while (answer.text.includes("USER_ALREADY_EXISTS") && Date.now() < deadline);
    assert.notEqual(assertEnrolled(answer, library, card).userid, user);
    assertError(await remove([user]), 404, "USER_NOT_FOUND");
  });
}
