// J1, J3 to J6: tokens that must be accepted. J8, J9: what our tokens look like to their reader.
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { enrolment, newCard, postalCodeUpdate } from "../lib/cards.mjs";
import { jwe, keyFingerprint, open, seal } from "../lib/encryption.mjs";
import { MOUNTS, USERS, assertEnrolled, assertError, call, enrol, jsonObject, post, update } from "../lib/gateway.mjs";
import { compact, jweSegments, openJwe } from "../lib/tokens.mjs";

const TOKENS = 200;

/** Standard base64 with padding: what old releases of some libraries send. */
const base64 = (bytes) => Buffer.from(bytes).toString("base64");
/** Node's own habit: plus becomes minus, the slash stays, no padding. */
const mixed = (bytes) => base64(bytes).replaceAll("+", "-").replaceAll("=", "");

export default async function jweCases(t, { issuers, gateway }) {
  const { demo } = issuers;
  const library = jwe(demo);
  const certificate = gateway.certificate;
  const kid = keyFingerprint(certificate);

  await t.case("sandbox.json names the fingerprint that the library computes", () => {
    assert.equal(gateway.fingerprint.toLowerCase(), kid);
  });

  await t.case(`J1 ${TOKENS} tokens with distinct cards, root and /cts, the library's slashes among them`, async () => {
    let withSlash = 0;
    for (let i = 0; i < TOKENS; i += 1) {
      const card = newCard(demo);
      const { body } = seal(library, enrolment(card));
      assert.deepEqual(Object.keys(body), ["encryptedData"]);
      if (body.encryptedData.includes("/")) withSlash += 1;
      const answer = await call(demo, "POST", MOUNTS[i % 2] + USERS, JSON.stringify(body));
      assertEnrolled(answer, library, card);
    }
    assert.ok(withSlash > 0, "no token held a slash: the case proves nothing");
  });

  const der = new X509Certificate(readFileSync(certificate)).raw;
  const digest = createHash("sha256").update(der);
  const certificateHex = digest.copy().digest("hex");
  const kids = {
    "the certificate's digest in hex": { publicKeyFingerprintType: "certificate", dataEncoding: "hex" },
    "the certificate's digest in base64": { publicKeyFingerprintType: "certificate", dataEncoding: "base64" },
    "the key's digest": { publicKeyFingerprintType: "publicKey" },
    "the key's digest in upper case": { publicKeyFingerprint: kid.toUpperCase() },
    "the certificate's digest in upper case": { publicKeyFingerprint: certificateHex.toUpperCase() },
  };
  for (const [what, config] of Object.entries(kids)) {
    await t.case(`J4 kid is ${what}`, async () => {
      for (const mount of MOUNTS) {
        const card = newCard(demo);
        assertEnrolled(await enrol(demo, jwe(demo, config), enrolment(card), { mount }), library, card);
      }
    });
  }
  await t.case("J4, J5 kid is free text nobody configured: CRYPTO_ERROR (spec/README.md 9)", async () => {
    assertError(await enrol(demo, jwe(demo, { publicKeyFingerprint: "my key of 2026" }), enrolment(newCard(demo))), 400, "CRYPTO_ERROR");
  });

  const full = { cty: "application/json", alg: "RSA-OAEP-256", enc: "A256GCM" };
  const accepted = {
    "J5 no kid means the primary key": { header: JSON.stringify(full) },
    "J5 an empty kid means the primary key": { header: { kid: "" } },
    "J6 12-byte IV": { ivBytes: 12 },
    "J6 16-byte IV": { ivBytes: 16 },
    "J6 Python's header order": { header: JSON.stringify({ alg: full.alg, enc: full.enc, kid, cty: full.cty }) },
    "J6 members we do not know": { header: { typ: "JOSE", iat: 1, "x-note": ["a", { b: null }] } },
    "J6 no cty": { header: JSON.stringify({ alg: full.alg, enc: full.enc, kid }) },
    "J6 white space in the header": { header: JSON.stringify({ ...full, kid }, null, 2) },
    "J6 escaped slash in cty": { header: JSON.stringify({ ...full, kid }).replace("/", "\\/") },
    "J6 standard base64 with padding": { encode: base64, encodeHeader: base64 },
    "J6 both alphabets in one token": { encode: mixed, ivBytes: 16 },
    "J6 A128GCM": { header: { enc: "A128GCM" } },
    "J6 A192GCM": { header: { enc: "A192GCM" } },
    "J6 A128CBC-HS256": { header: { enc: "A128CBC-HS256" }, ivBytes: 16 },
  };
  for (const [title, { encode, ...options }] of Object.entries(accepted)) {
    await t.case(title, async () => {
      const card = newCard(demo);
      const segments = jweSegments({ certificate, kid, plaintext: enrolment(card), ...options });
      assertEnrolled(await post(demo, { encryptedData: compact(segments, encode) }), library, card);
    });
  }

  await t.case("J6 members beside encryptedData are ignored", async () => {
    const card = newCard(demo);
    const { body } = seal(library, enrolment(card));
    assertEnrolled(await post(demo, { note: "x", ...body }), library, card);
  });

  await t.case("J8, J9 our tokens, on enrolment and on update", async () => {
    const card = newCard(demo);
    const enrolled = await enrol(demo, library, enrolment(card));
    const { userid } = assertEnrolled(enrolled, library, card);
    const updated = await update(demo, library, userid, postalCodeUpdate("11747"));
    for (const answer of [enrolled, updated]) {
      const body = jsonObject(answer);
      assert.deepEqual(Object.keys(body), ["encryptedData"]);
      const segments = body.encryptedData.split(".");
      assert.equal(segments.length, 5);
      for (const segment of segments) assert.match(segment, /^[A-Za-z0-9_-]+$/);
      const [headerText, key, iv, , tag] = segments.map((segment) => Buffer.from(segment, "base64url"));
      assert.doesNotMatch(headerText.toString(), /[^\x21-\x7e]/, "the header is compact ASCII");
      const header = JSON.parse(headerText);
      assert.deepEqual([header.alg, header.enc, header.cty], ["RSA-OAEP-256", "A256GCM", "application/json"]);
      assert.equal(header.kid, keyFingerprint(demo.decryption_key));
      assert.deepEqual([key.length, iv.length, tag.length], [256, 12, 16]);
      const plaintext = openJwe(body.encryptedData, demo.decryption_key);
      assert.ok(plaintext.every((byte) => byte < 0x80), "the plaintext is ASCII");
      assert.equal(plaintext.toString(), plaintext.toString().trim());
      assert.deepEqual(JSON.parse(plaintext), open(library, body));
    }
    assert.notEqual(enrolled.text, updated.text);
  });
}
