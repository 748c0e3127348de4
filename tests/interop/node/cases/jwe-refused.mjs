// J7: tokens that must be refused, all with one and the same answer.
import { deflateRawSync } from "node:zlib";
import { enrolment, newCard } from "../lib/cards.mjs";
import { jwe, keyFingerprint } from "../lib/encryption.mjs";
import { MOUNTS, assertEnrolled, assertError, post } from "../lib/gateway.mjs";
import { base64url, compact, jweSegments, jweToken } from "../lib/tokens.mjs";

export default async function jweRefused(t, { issuers, gateway }, uniform) {
  const { demo, compat } = issuers;
  const certificate = gateway.certificate;
  const kid = keyFingerprint(certificate);
  const make = (options = {}) => jweToken({ certificate, kid, plaintext: enrolment(newCard(demo)), ...options });
  /** A good token with one thing changed in its segments. */
  const broken = (change) => {
    const segments = jweSegments({ certificate, kid, plaintext: enrolment(newCard(demo)) });
    return compact({ ...segments, ...change(segments) });
  };
  const flipped = (bytes, at = 0) => {
    const copy = Buffer.from(bytes);
    copy[at] ^= 1;
    return copy;
  };
  const text = (plaintext) => make({ plaintext });
  const goodHeader = JSON.stringify({ kid, cty: "application/json", alg: "RSA-OAEP-256", enc: "A256GCM" });

  const refused = {
    "wrong tag": () => broken(({ tag }) => ({ tag: flipped(tag) })),
    "changed ciphertext": () => broken(({ ciphertext }) => ({ ciphertext: flipped(ciphertext, 40) })),
    "changed IV": () => broken(({ iv }) => ({ iv: flipped(iv) })),
    "changed wrapped key": () => broken(({ key }) => ({ key: flipped(key, 100) })),
    "wrapped key one byte short": () => broken(({ key }) => ({ key: key.subarray(1) })),
    "empty wrapped key": () => broken(() => ({ key: Buffer.alloc(0) })),
    "changed header byte": () => broken(() => ({ header: base64url(goodHeader.replace("json", "jsoN")) })),
    "re-encoded header": () => broken(() => ({ header: base64url(goodHeader.replace(",", ", ")) })),
    "tag too long": () => broken(({ tag }) => ({ tag: Buffer.concat([tag, tag.subarray(0, 1)]) })),
    "empty tag": () => broken(() => ({ tag: Buffer.alloc(0) })),
    "4 segments": () => make().split(".").slice(0, 4).join("."),
    "6 segments": () => make() + ".AAAA",
    "a dot at the end": () => make() + ".",
    "8-byte IV": () => make({ ivBytes: 8 }),
    "15-byte IV": () => make({ ivBytes: 15 }),
    "17-byte IV": () => make({ ivBytes: 17 }),
    "no IV": () => make({ ivBytes: 0 }),
    "alg RSA-OAEP": () => make({ header: { alg: "RSA-OAEP" } }),
    "alg RSA-OAEP-512": () => make({ header: { alg: "RSA-OAEP-512" } }),
    "alg RSA1_5": () => make({ header: { alg: "RSA1_5" } }),
    "alg dir": () => make({ header: { alg: "dir" } }),
    "alg in lower case": () => make({ header: { alg: "rsa-oaep-256" } }),
    "alg a number": () => make({ header: { alg: 256 } }),
    "no alg": () => make({ header: JSON.stringify({ kid, enc: "A256GCM" }) }),
    "no enc": () => make({ header: JSON.stringify({ kid, alg: "RSA-OAEP-256" }) }),
    "enc A256CBC-HS512": () => make({ header: { enc: "A256CBC-HS512" } }),
    "enc none": () => make({ header: { enc: "none" } }),
    "enc says A128GCM, the key is 32 bytes": () => make({ header: { enc: "A128GCM" }, keyBytes: 32 }),
    "A128CBC-HS256 with a wrong MAC": () => {
      const segments = jweSegments({ certificate, kid, plaintext: enrolment(newCard(demo)), header: { enc: "A128CBC-HS256" }, ivBytes: 16 });
      return compact({ ...segments, tag: flipped(segments.tag) });
    },
    "zip over text that is not compressed": () => make({ header: { zip: "DEF" } }),
    zip: () => make({ header: { zip: "DEF" }, plaintext: deflateRawSync(JSON.stringify(enrolment(newCard(demo)))) }),
    crit: () => make({ header: { crit: ["exp"], exp: 4102444800 } }),
    jku: () => make({ header: { jku: "https://keys.example.com/jwks" } }),
    x5u: () => make({ header: { x5u: "https://keys.example.com/chain" } }),
    p2c: () => make({ header: { p2c: 1000000000 } }),
    "a header name twice": () => make({ header: goodHeader.replace("{", '{"enc":"A256GCM",') }),
    "header is an array": () => broken(() => ({ header: base64url(JSON.stringify([goodHeader])) })),
    "header is not JSON": () => broken(() => ({ header: base64url(goodHeader.slice(1)) })),
    "kid unknown": () => make({ kid: "0".repeat(64) }),
    "kid a number": () => make({ header: { kid: 7 } }),
    "kid null": () => make({ header: { kid: null } }),
    "foreign key under our kid": () => make({ certificate: demo.decryption_key }),
    "kid of the foreign key": () => make({ certificate: compat.decryption_key, kid: keyFingerprint(compat.decryption_key) }),
    "characters outside both alphabets": () => make().replace(/\.(.)/, ".*$1"),
    "empty plaintext": () => text(""),
    "plaintext not UTF-8": () => text(Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])),
    "plaintext not JSON": () => text('{"a":1'),
    "plaintext null": () => text("null"),
    "plaintext a bare word": () => text("word"),
    "plaintext an array": () => text(JSON.stringify([enrolment(newCard(demo))])),
    "plaintext a string": () => text('"word"'),
    "plaintext with NaN": () => text('{"a":NaN}'),
    "plaintext with a name twice": () => text(JSON.stringify(enrolment(newCard(demo))).replace("{", '{"locale":"pl-PL",')),
  };
  for (const length of [1, 4, 8, 12, 15]) {
    refused[`tag cut to ${length} bytes`] = () => broken(({ tag }) => ({ tag: tag.subarray(0, length) }));
  }

  for (const [what, token] of Object.entries(refused)) {
    await t.case(`J7 refused alike: ${what}`, async () => {
      for (const mount of MOUNTS) uniform.check(await post(demo, { encryptedData: token() }, { mount }));
    });
  }

  const outOfShape = {
    "body in the clear": enrolment(newCard(demo)),
    "an empty object": {},
    "a token under 128 characters": { encryptedData: "a.b.c.d.e" },
    "a token over 54000 characters": { encryptedData: make({ plaintext: "x".repeat(41_000) }) },
    "an array": [{ encryptedData: "x" }],
    "encryptedData a number": { encryptedData: 7 },
    "encryptedData null": { encryptedData: null },
  };
  for (const [what, body] of Object.entries(outOfShape)) {
    await t.case(`J7 no envelope at all: ${what}`, async () => {
      assertError(await post(demo, body), 400, "INVALID_REQUEST_PARAMETER");
    });
  }

  await t.case("J7 a refused card can still be enrolled", async () => {
    const card = newCard(demo);
    const segments = jweSegments({ certificate, kid, plaintext: enrolment(card) });
    uniform.check(await post(demo, { encryptedData: compact({ ...segments, tag: flipped(segments.tag) }) }));
    // Not with the same wrapped key: it belongs to the message that came with it first.
    uniform.check(await post(demo, { encryptedData: compact(segments) }));
    const anew = jweSegments({ certificate, kid, plaintext: enrolment(card) });
    assertEnrolled(await post(demo, { encryptedData: compact(anew) }), jwe(demo), card);
  });
}
