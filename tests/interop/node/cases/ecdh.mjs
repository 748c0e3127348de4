// E1 to E3: jose encrypts to the sandbox's EC key (RFC 7518, 4.6), with the key out of the key set.
import assert from "node:assert/strict";
import { enrolment, newCard } from "../lib/cards.mjs";
import { jwe } from "../lib/encryption.mjs";
import { USERS, assertEnrolled, assertError, call } from "../lib/gateway.mjs";
import { jose } from "../lib/official.mjs";

export default async function ecdhCases(t, { issuers, base_url }) {
  const { demo } = issuers;
  const library = jwe(demo);
  const { CompactEncrypt, importJWK, generateKeyPair } = await jose();
  const { keys } = await (await fetch(`${base_url}/.well-known/jwks.json`)).json();
  const ec = keys.find((key) => key.kty === "EC");
  assert.ok(ec, "the key set has an EC key");
  const key = await importJWK(ec, "ECDH-ES");

  async function enrol(card, header, { recipient = key, parties } = {}) {
    const text = new TextEncoder().encode(JSON.stringify(enrolment(card)));
    const encrypt = new CompactEncrypt(text).setProtectedHeader({ enc: "A256GCM", kid: ec.kid, ...header });
    if (parties) encrypt.setKeyManagementParameters(parties);
    return call(demo, "POST", USERS, JSON.stringify({ encryptedData: await encrypt.encrypt(recipient) }));
  }

  const names = { apu: new TextEncoder().encode("Alice"), apv: new TextEncoder().encode("Bob") };
  for (const alg of ["ECDH-ES", "ECDH-ES+A256KW"]) {
    for (const parties of [undefined, names]) {
      await t.case(`E1 ${alg}${parties ? " with apu and apv" : ""}`, async () => {
        const card = newCard(demo);
        assertEnrolled(await enrol(card, { alg }, { parties }), library, card);
      });
    }
  }

  await t.case("E2 without kid the primary key of the curve is meant", async () => {
    const card = newCard(demo);
    assertEnrolled(await enrol(card, { alg: "ECDH-ES", kid: undefined }), library, card);
  });

  const foreign = (await generateKeyPair("ECDH-ES", { crv: "P-384" })).publicKey;
  const rsa = keys.find((key) => key.kty === "RSA");
  for (const [what, header, options] of [
    ["AES-128 key wrap", { alg: "ECDH-ES+A128KW" }],
    ["A128GCM", { alg: "ECDH-ES", enc: "A128GCM" }],
    ["a key of another curve", { alg: "ECDH-ES" }, { recipient: foreign }],
    ["the RSA key's kid", { alg: "ECDH-ES", kid: rsa.kid }],
  ]) {
    await t.case(`E3 ${what}: CRYPTO_ERROR`, async () => {
      assertError(await enrol(newCard(demo), header, options), 400, "CRYPTO_ERROR");
    });
  }
}
