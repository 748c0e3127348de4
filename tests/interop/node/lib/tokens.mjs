// Compact JWE and field-level envelopes made by hand: the variants that other languages' libraries send, and the broken
// ones that must be refused. Everything is a real, consistent message under its own header unless a case breaks it, so
// that a receiver which honoured the wrong thing would open it and be caught.
import { constants, createCipheriv, createDecipheriv, createHmac, createPrivateKey, createPublicKey, privateDecrypt, publicEncrypt, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

export const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

const OAEP = constants.RSA_PKCS1_OAEP_PADDING;
const AES_GCM = { A128GCM: 16, A192GCM: 24, A256GCM: 32 };

/** Wraps a content key for a certificate. `alg` is a JWE name; RSA-OAEP is the SHA-1 one. */
function wrap(alg, certificate, key) {
  const publicKey = createPublicKey(readFileSync(certificate));
  if (alg === "dir") return Buffer.alloc(0);
  if (alg === "RSA1_5") return publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, key);
  const oaepHash = { "RSA-OAEP": "sha1", "RSA-OAEP-512": "sha512" }[alg] ?? "sha256";
  return publicEncrypt({ key: publicKey, padding: OAEP, oaepHash }, key);
}

/**
 * The five segments of a token, as bytes (the header as the ASCII text that is authenticated).
 * `header` is an object, or the exact JSON text. `plaintext` is an object, text or bytes.
 */
export function jweSegments({ certificate, kid, header = {}, plaintext, ivBytes = 12, encodeHeader = base64url, keyBytes }) {
  const text =
    typeof header === "string" ? header : JSON.stringify({ kid, cty: "application/json", alg: "RSA-OAEP-256", enc: "A256GCM", ...header });
  const { alg, enc } = JSON.parse(text);
  const protectedHeader = encodeHeader(Buffer.from(text));
  const cek = randomBytes(keyBytes ?? (enc === "A128CBC-HS256" ? 32 : (AES_GCM[enc] ?? 32)));
  const iv = randomBytes(ivBytes);
  const { ciphertext, tag } = enc === "A128CBC-HS256" ? cbcHmac(cek, iv, protectedHeader, bytesOf(plaintext)) : gcm(cek, iv, protectedHeader, bytesOf(plaintext));
  return { header: protectedHeader, key: wrap(alg, certificate, cek), iv, ciphertext, tag };
}

/** Joins segments; `encode` gives the alphabet of the four binary ones. */
export function compact({ header, key, iv, ciphertext, tag }, encode = base64url) {
  return [header, ...[key, iv, ciphertext, tag].map((bytes) => encode(bytes))].join(".");
}

export const jweToken = (options) => compact(jweSegments(options));

function gcm(cek, iv, aad, plaintext) {
  if (iv.length === 0) return { ciphertext: plaintext, tag: randomBytes(16) }; // GCM has no such thing; the shape is the point
  const cipher = createCipheriv(`aes-${cek.length * 8}-gcm`, cek, iv);
  cipher.setAAD(Buffer.from(aad, "ascii"));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return { ciphertext, tag: cipher.getAuthTag() };
}

/** RFC 7518 5.2.3: MAC key first, then the AES key; MAC over AAD, IV, ciphertext and the AAD's length in bits. */
function cbcHmac(cek, iv, aad, plaintext) {
  const cipher = createCipheriv("aes-128-cbc", cek.subarray(16), iv.length === 16 ? iv : randomBytes(16));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const bits = Buffer.alloc(8);
  bits.writeBigUInt64BE(BigInt(aad.length * 8));
  const mac = createHmac("sha256", cek.subarray(0, 16)).update(aad, "ascii").update(iv).update(ciphertext).update(bits).digest();
  return { ciphertext, tag: mac.subarray(0, 16) };
}

/**
 * A field-level envelope. `keyBytes` 16 or 32; `padded: false` encrypts `plaintext` as it is (its length must fit);
 * `members` overrides what comes out.
 */
export function fieldLevel({ certificate, fingerprint, plaintext, keyBytes = 16, padded = true, members = {} }) {
  const key = randomBytes(keyBytes);
  const iv = randomBytes(16);
  const cipher = createCipheriv(`aes-${keyBytes * 8}-cbc`, key, iv).setAutoPadding(padded);
  const ciphertext = Buffer.concat([cipher.update(bytesOf(plaintext)), cipher.final()]);
  return {
    encryptedData: ciphertext.toString("hex"),
    iv: iv.toString("hex"),
    encryptedKey: wrap("RSA-OAEP-256", certificate, key).toString("hex"),
    publicKeyFingerprint: fingerprint,
    oaepHashingAlgorithm: "SHA256",
    ...members,
  };
}

/** Opens a token of ours without the library, to look at the plaintext's bytes. The tag is checked. */
export function openJwe(token, privateKeyFile) {
  const segments = token.split(".");
  const [, key, iv, ciphertext, tag] = segments.map((segment) => Buffer.from(segment, "base64url"));
  const cek = unwrap(key, privateKeyFile);
  const decipher = createDecipheriv("aes-256-gcm", cek, iv, { authTagLength: 16 });
  decipher.setAAD(Buffer.from(segments[0], "ascii"));
  decipher.setAuthTag(tag);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
}

/** The same for a field-level answer. */
export function openFieldLevel(body, privateKeyFile) {
  const key = unwrap(Buffer.from(body.encryptedKey, "hex"), privateKeyFile);
  const decipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, Buffer.from(body.iv, "hex"));
  return Buffer.concat([decipher.update(Buffer.from(body.encryptedData, "hex")), decipher.final()]);
}

function unwrap(key, privateKeyFile) {
  return privateDecrypt({ key: createPrivateKey(readFileSync(privateKeyFile)), padding: OAEP, oaepHash: "sha256" }, key);
}

function bytesOf(plaintext) {
  if (Buffer.isBuffer(plaintext)) return plaintext;
  return Buffer.from(typeof plaintext === "string" ? plaintext : JSON.stringify(plaintext));
}
