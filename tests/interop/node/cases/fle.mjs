// F1, F2, F4 to F7: field-level envelopes in and out.
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { enrolment, newCard, postalCodeUpdate } from "../lib/cards.mjs";
import { HEADER_MODE, fle, keyFingerprint, open, seal } from "../lib/encryption.mjs";
import { MOUNTS, assertEnrolled, assertError, enrol, errorElements, jsonObject, post, update } from "../lib/gateway.mjs";
import { fieldLevel, openFieldLevel } from "../lib/tokens.mjs";

const MEMBERS = ["encryptedData", "encryptedKey", "iv", "oaepHashingAlgorithm", "publicKeyFingerprint"];

export default async function fleCases(t, { issuers, gateway }, uniform) {
  const { demo, compat } = issuers;
  const certificate = gateway.certificate;
  const fingerprint = keyFingerprint(certificate);
  const reader = fle(demo);
  const certificateDigest = createHash("sha256").update(new X509Certificate(readFileSync(certificate)).raw).digest("hex");

  const accepted = {
    "F1 the CCE names, hex, SHA-256": {},
    "F2 SHA-512": { oaepPaddingDigestAlgorithm: "SHA-512" },
    "F2 sha512": { oaepPaddingDigestAlgorithm: "sha512" },
    "F2 SHA512": { oaepPaddingDigestAlgorithm: "SHA512" },
    "F4 without fingerprint": { publicKeyFingerprintType: undefined, publicKeyFingerprintFieldName: undefined },
    "F4 without digest member": { oaepHashingAlgorithmFieldName: undefined },
    "F4 certificate fingerprint": { publicKeyFingerprintType: "certificate" },
    "F4 upper-case fingerprint": { publicKeyFingerprint: certificateDigest.toUpperCase() },
    "F4 a member called undefined": { publicKeyFingerprintFieldName: undefined },
    "base64 instead of hex": { dataEncoding: "base64" },
    "base64, certificate fingerprint": { dataEncoding: "base64", publicKeyFingerprintType: "certificate" },
    "header mode": HEADER_MODE,
    "header mode, names of the other languages": {
      ...HEADER_MODE,
      oaepHashingAlgorithmHeaderName: "x-oaep-padding-digest-algorithm",
      publicKeyFingerprintHeaderName: "x-encryption-key-fingerprint",
    },
  };
  for (const [title, config] of Object.entries(accepted)) {
    await t.case(title, async () => {
      for (const mount of MOUNTS) {
        const card = newCard(compat);
        // Answered in the clear: how the answer is encoded is no part of these cases.
        assertEnrolled(await enrol(compat, fle(compat, config), enrolment(card), { mount }), null, card);
      }
    });
  }
  await t.case("F2 SHA-512 on the way in, SHA256 on the way out, read by the same library", async () => {
    const library = fle(demo, { oaepPaddingDigestAlgorithm: "SHA-512" });
    const card = newCard(demo);
    assertEnrolled(await enrol(demo, library, enrolment(card)), library, card);
  });

  const good = (card, options = {}) => fieldLevel({ certificate, fingerprint, plaintext: enrolment(card), ...options });
  const variants = {
    "F5 upper-case hex": (card) => {
      const body = good(card);
      for (const name of ["encryptedData", "iv", "encryptedKey"]) body[name] = body[name].toUpperCase();
      return body;
    },
    "a key of 32 bytes": (card) => good(card, { keyBytes: 32 }),
    "an empty fingerprint": (card) => good(card, { members: { publicKeyFingerprint: "" } }),
    "members we do not know": (card) => good(card, { members: { note: { a: [1] } } }),
    "digest written SHA-256": (card) => good(card, { members: { oaepHashingAlgorithm: "SHA-256" } }),
    "digest in lower case": (card) => good(card, { members: { oaepHashingAlgorithm: "sha256" } }),
  };
  for (const [title, make] of Object.entries(variants)) {
    await t.case(title, async () => {
      const card = newCard(demo);
      assertEnrolled(await post(demo, make(card)), reader, card);
    });
  }

  await t.case("F7 our envelopes: five members, lower-case hex, SHA256, ASCII inside", async () => {
    const card = newCard(demo);
    const enrolled = await enrol(demo, reader, enrolment(card));
    const { userid } = assertEnrolled(enrolled, reader, card);
    const updated = await update(demo, reader, userid, postalCodeUpdate("11747"));
    for (const answer of [enrolled, updated]) {
      const body = jsonObject(answer);
      assert.deepEqual(Object.keys(body).sort(), MEMBERS);
      for (const name of ["encryptedData", "iv", "encryptedKey"]) assert.match(body[name], /^[0-9a-f]+$/);
      assert.deepEqual([body.iv.length, body.encryptedKey.length, body.oaepHashingAlgorithm], [32, 512, "SHA256"]);
      assert.equal(body.publicKeyFingerprint, keyFingerprint(demo.decryption_key));
      const plaintext = openFieldLevel(body, demo.decryption_key);
      assert.ok(plaintext.every((byte) => byte < 0x80));
      assert.deepEqual(JSON.parse(plaintext), open(reader, body));
    }
  });

  const blocks = (last) => {
    const text = Buffer.from(JSON.stringify(enrolment(newCard(demo))));
    return Buffer.concat([text, Buffer.alloc(16 - (text.length % 16), last)]);
  };
  const undecipherable = {
    "padding of zero bytes": () => good("", { plaintext: blocks(0), padded: false }),
    "padding longer than a block": () => good("", { plaintext: blocks(17), padded: false }),
    "no padding": () => good("", { plaintext: blocks(0x20), padded: false }),
    "last block changed": () => {
      const body = good(newCard(demo));
      const last = body.encryptedData.endsWith("0") ? "1" : "0";
      return { ...body, encryptedData: body.encryptedData.slice(0, -1) + last };
    },
    "key of somebody else": () => good(newCard(demo), { certificate: demo.decryption_key }),
    "wrapped key changed": () => {
      const body = good(newCard(demo));
      return { ...body, encryptedKey: (body.encryptedKey.startsWith("0") ? "1" : "0") + body.encryptedKey.slice(1) };
    },
    "digest says SHA512, the key is wrapped with SHA-256": () => good(newCard(demo), { members: { oaepHashingAlgorithm: "SHA512" } }),
    "digest SHA1": () => good(newCard(demo), { members: { oaepHashingAlgorithm: "SHA1" } }),
    "unknown fingerprint": () => good(newCard(demo), { members: { publicKeyFingerprint: "0".repeat(64) } }),
    "plaintext not JSON": () => good("", { plaintext: "x".repeat(100) }),
    "plaintext not UTF-8": () => good("", { plaintext: Buffer.concat([Buffer.alloc(70, 0x20), Buffer.from([0xc3, 0x28])]) }),
    "plaintext an array": () => good("", { plaintext: [enrolment(newCard(demo))] }),
    "plaintext with a name twice": () => good("", { plaintext: JSON.stringify(enrolment(newCard(demo))).replace("{", '{"locale":"sv",') }),
  };
  for (const [what, make] of Object.entries(undecipherable)) {
    await t.case(`F6 refused alike: ${what}`, async () => {
      for (const mount of MOUNTS) uniform.check(await post(demo, make(), { mount }));
    });
  }

  // Visible without any key, so a field error is as good as CRYPTO_ERROR here (cce-api.md section 2, order of checks).
  const malformed = {
    "odd-length hex": (body) => ({ ...body, encryptedData: body.encryptedData.slice(1) }),
    "no hex digits": (body) => ({ ...body, encryptedData: "zz" + body.encryptedData.slice(2) }),
    "ciphertext not a block multiple": (body) => ({ ...body, encryptedData: body.encryptedData + "00" }),
    "IV of 15 bytes": (body) => ({ ...body, iv: body.iv.slice(2) }),
    "IV of 17 bytes": (body) => ({ ...body, iv: body.iv + "00" }),
    "wrapped key a byte short": (body) => ({ ...body, encryptedKey: body.encryptedKey.slice(2) }),
    "wrapped key a byte long": (body) => ({ ...body, encryptedKey: body.encryptedKey + "00" }),
    "no IV": ({ iv, ...rest }) => rest,
    "no wrapped key": ({ encryptedKey, ...rest }) => rest,
  };
  for (const name of MEMBERS) {
    for (const value of [7, true, ["x"], { a: 1 }]) {
      malformed[`${name} is ${JSON.stringify(value)}`] = (body) => ({ ...body, [name]: value });
    }
  }
  for (const [what, change] of Object.entries(malformed)) {
    await t.case(`F6 refused: ${what}`, async () => {
      const answer = await post(demo, change(good(newCard(demo))));
      assert.equal(answer.status, 400, answer.text);
      for (const { ReasonCode } of errorElements(answer)) assert.match(ReasonCode, /^(CRYPTO_ERROR|INVALID_REQUEST_PARAMETER)$/);
    });
  }

  await t.case("F6 a member twice in the envelope is refused", async () => {
    const text = JSON.stringify(good(newCard(demo)));
    const answer = await post(demo, text.replace("{", `{"iv":"${"0".repeat(32)}",`));
    assert.equal(answer.status, 400, answer.text);
    errorElements(answer);
  });

  await t.case("encryptedValue is not our name for the data", async () => {
    const { body } = seal(fle(demo, { encryptedValueFieldName: "encryptedValue" }), enrolment(newCard(demo)));
    assertError(await post(demo, body), 400, "INVALID_REQUEST_PARAMETER");
  });
}
