// Mastercard's encryption library, configured for the CCE API (wire-formats.md 4.1): whole body in, whole body out.
import { readFileSync } from "node:fs";
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { FieldLevelEncryption, JweEncryption } from "./official.mjs";

const PATH = "/issuers/users"; // the library takes it as a pattern, so it covers /cts and /issuers/users/{userid} too

/** Members of the config that a case changes. `undefined` takes one away; the library tells that from an absent one. */
function configured(base, changes) {
  const config = { ...base, ...changes };
  for (const name of Object.keys(changes)) if (changes[name] === undefined) delete config[name];
  return config;
}

export function jwe(issuer, changes = {}) {
  return new JweEncryption(
    configured(
      {
        paths: [{ path: PATH, toEncrypt: [{ element: "$", obj: "$" }], toDecrypt: [{ element: "encryptedData", obj: "$" }] }],
        mode: "JWE",
        encryptedValueFieldName: "encryptedData",
        encryptionCertificate: issuer.gateway_certificate,
        privateKey: issuer.decryption_key,
      },
      changes,
    ),
  );
}

export function fle(issuer, changes = {}) {
  return new FieldLevelEncryption(
    configured(
      {
        paths: [{ path: PATH, toEncrypt: [{ element: "$", obj: "$" }], toDecrypt: [{ element: "$", obj: "$" }] }],
        encryptedValueFieldName: "encryptedData",
        encryptedKeyFieldName: "encryptedKey",
        ivFieldName: "iv",
        oaepHashingAlgorithmFieldName: "oaepHashingAlgorithm",
        publicKeyFingerprintFieldName: "publicKeyFingerprint",
        publicKeyFingerprintType: "publicKey",
        oaepPaddingDigestAlgorithm: "SHA-256",
        dataEncoding: "hex",
        encryptionCertificate: issuer.gateway_certificate,
        privateKey: issuer.decryption_key,
      },
      changes,
    ),
  );
}

/** The config of a client that never decrypts, as the reference app's on enrol and update. */
export const ENCRYPT_ONLY = {
  paths: [{ path: PATH, toEncrypt: [{ element: "$", obj: "$" }], toDecrypt: [] }],
};

/** Header mode: only `encryptedData` stays in the body. The names are the usual ones of wire-formats.md 2.1. */
export const HEADER_MODE = {
  ivHeaderName: "x-iv",
  encryptedKeyHeaderName: "x-encrypted-key",
  oaepHashingAlgorithmHeaderName: "x-oaep-hashing-algorithm",
  publicKeyFingerprintHeaderName: "x-public-key-fingerprint",
};

/** Encrypts as the library's HTTP hook does. Returns the body as an object, and the headers it added. */
export function seal(library, clear) {
  const { header, body } = library.encrypt(PATH, {}, structuredClone(clear));
  return { headers: header, body };
}

/** Decrypts an answer as the library's HTTP hook does. The library may change what it is given, hence the copy. */
export function open(library, body, header = {}) {
  return library.decrypt({ request: { url: PATH }, header, body: structuredClone(body) });
}

/** Hex SHA-256 over the SPKI DER of a key: what `kid` and `publicKeyFingerprint` hold by default. Takes a key or a certificate. */
export function keyFingerprint(pemFile) {
  const pem = readFileSync(pemFile, "utf8");
  const key = createPublicKey(pem.includes("PRIVATE KEY") ? createPrivateKey(pem) : pem);
  return createHash("sha256").update(key.export({ type: "spki", format: "der" })).digest("hex");
}
