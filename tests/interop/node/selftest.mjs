// Checks the suite's own tools without a server: what it encrypts opens with the same keys, what it signs verifies.
// `node selftest.mjs`, or `run.sh --self-test`.
import assert from "node:assert/strict";
import { createPublicKey, createVerify } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cardNumber, enrolment, foreignEnrolment, withCheckDigit } from "./lib/cards.mjs";
import { HEADER_MODE, fle, jwe, keyFingerprint, open, seal } from "./lib/encryption.mjs";
import { escape3986, formatHeader, handMade, official, parseHeader } from "./lib/oauth.mjs";
import { Runner } from "./lib/runner.mjs";
import { fieldLevel, jweToken, openFieldLevel, openJwe } from "./lib/tokens.mjs";

const key = (name) => fileURLToPath(new URL(`../../keys/${name}`, import.meta.url));
// One key pair on both ends, so that the library can read what it wrote.
const issuer = {
  consumer_key: `${"A-_z".repeat(12)}!${"0f".repeat(24)}`,
  signing_key: key("issuer-signing.pem"),
  decryption_key: key("gateway.pem"),
  gateway_certificate: key("gateway-cert.pem"),
};
const certificate = issuer.gateway_certificate;
const fingerprint = keyFingerprint(certificate);
const clear = enrolment(cardNumber("534403", 1));
const t = new Runner();

await t.case("card numbers carry the Luhn digit", () => {
  assert.equal(withCheckDigit("222300644884252"), "2223006448842520"); // cce-api.md section 9
  assert.equal(withCheckDigit("534403517122436"), "5344035171224363");
});
await t.case("key and certificate give one fingerprint", () => assert.equal(keyFingerprint(key("gateway.pem")), fingerprint));

for (const [name, make] of Object.entries({ jwe, fle })) {
  await t.case(`the library reads its own ${name}`, () => {
    const library = make(issuer);
    for (const card of [clear, foreignEnrolment(clear.cardNumber)]) {
      const { body } = seal(library, card);
      assert.ok(body.encryptedData.length >= 128);
      // FLE hands bytes back as Latin-1 (wire-formats.md 2.2), which is why our own answers are ASCII only.
      if (name === "jwe" || card === clear) assert.deepEqual(open(library, body), card);
    }
  });
}
await t.case("the library reads its own header mode", () => {
  const library = fle(issuer, HEADER_MODE);
  const { body, headers } = seal(library, clear);
  assert.deepEqual(Object.keys(body), ["encryptedData"]);
  assert.deepEqual(Object.keys(headers).sort(), Object.values(HEADER_MODE).sort());
  assert.deepEqual(open(library, body, headers), clear);
});

for (const enc of ["A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256"]) {
  await t.case(`the library reads hand-made ${enc}`, () => {
    const encryptedData = jweToken({ certificate, kid: fingerprint, plaintext: clear, header: { enc }, ivBytes: 16 });
    assert.deepEqual(open(jwe(issuer), { encryptedData }), clear);
  });
}
await t.case("hand-made tokens open by hand", () => {
  const token = jweToken({ certificate, kid: fingerprint, plaintext: clear });
  assert.deepEqual(JSON.parse(openJwe(token, issuer.decryption_key)), clear);
});
for (const keyBytes of [16, 32]) {
  await t.case(`the library reads hand-made FLE with a key of ${keyBytes}`, () => {
    const body = fieldLevel({ certificate, fingerprint, plaintext: clear, keyBytes });
    assert.deepEqual(open(fle(issuer), body), clear);
    assert.deepEqual(JSON.parse(openFieldLevel(body, issuer.decryption_key)), clear);
  });
}

/** Verifies a header by the base string of wire-formats.md 3.2. */
function verifies(header, { strict = false } = {}) {
  const members = parseHeader(header);
  const signature = members.find(([name]) => name === "oauth_signature")[1];
  const signed = members.filter(([name]) => name.startsWith("oauth_") && name !== "oauth_signature").sort(([a], [b]) => (a < b ? -1 : 1));
  const pairs = signed.map(([name, value]) => `${name}=${strict ? escape3986(value) : value}`).join("&");
  const base = ["POST", escape3986("http://127.0.0.1:8080/issuers/users"), escape3986(pairs)].join("&");
  const publicKey = createPublicKey(readFileSync(issuer.signing_key));
  return createVerify("RSA-SHA256").update(base).verify(publicKey, signature, "base64");
}
const request = [issuer, "POST", "http://127.0.0.1:8080/issuers/users", '{"a":1}'];
await t.case("the official header verifies, re-formatted too", () => {
  const header = official(...request);
  assert.ok(verifies(header));
  assert.ok(verifies(formatHeader(parseHeader(header).reverse(), { separator: ", " })));
});
await t.case("hand-made headers verify", () => {
  assert.ok(verifies(handMade(...request)));
  assert.ok(verifies(handMade(...request, { strict: true }), { strict: true }));
  assert.ok(!verifies(handMade(...request, { strict: true })));
});
t.finish();
