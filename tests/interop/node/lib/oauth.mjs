// Signatures: by Mastercard's signer, and by hand for what the signer cannot be talked into (other algorithms, other
// clocks, missing members, the textbook base string).
import { constants, createHash, createHmac, createSign, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { OAuth } from "./official.mjs";

export const RSA_SHA256 = OAuth.SignatureMethod.RSA_SHA256;
export const RSA_PSS = OAuth.SignatureMethod.RSA_PSS_SHA256;

const signingKey = (issuer) => readFileSync(issuer.signing_key, "utf8");

/** The Authorization header as the official signer makes it. */
export function official(issuer, method, url, body, { signatureMethod = RSA_SHA256, key = signingKey(issuer) } = {}) {
  return OAuth.getAuthorizationHeader(url, method, body ?? "", issuer.consumer_key, key, signatureMethod);
}

/** RFC 3986 escaping, which encodeURIComponent falls five characters short of. */
export function escape3986(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
}

export const bodyHash = (body) => createHash("sha256").update(body).digest("base64");

/** Ways to sign a base string with a PEM key. */
export const signers = {
  rsaSha256: (base, key) => createSign("RSA-SHA256").update(base).sign(key, "base64"),
  rsaSha1: (base, key) => createSign("RSA-SHA1").update(base).sign(key, "base64"),
  rsaPss: (saltLength) => (base, key) =>
    createSign("RSA-SHA256").update(base).sign({ key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, "base64"),
  // Keyed with what both sides know in public, the classic confusion of a public key with a shared secret.
  hmac: (digest, secret) => (base) => createHmac(digest, secret).update(base).digest("base64"),
  plaintext: (secret) => () => secret,
};

/**
 * A header made by hand for a URL without a query.
 * `set` overrides oauth_* members, `omit` leaves some out, `strict` escapes values in the base string (RFC 5849).
 */
export function handMade(issuer, method, url, body, options = {}) {
  const { set = {}, omit = [], strict = false, sign = signers.rsaSha256, key = signingKey(issuer) } = options;
  const params = {
    oauth_body_hash: bodyHash(body ?? ""),
    oauth_consumer_key: issuer.consumer_key,
    oauth_nonce: randomBytes(12).toString("hex"),
    oauth_signature_method: "RSA-SHA256",
    oauth_timestamp: String(Math.floor(Date.now() / 1000)),
    oauth_version: "1.0",
    ...set,
  };
  for (const name of omit) delete params[name];
  const pairs = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));
  const parameterString = pairs.map(([name, value]) => `${name}=${strict ? escape3986(value) : value}`).join("&");
  const base = [method, escape3986(url), escape3986(parameterString)].join("&");
  return formatHeader([...pairs, ["oauth_signature", sign(base, key)]]);
}

/** The members of a header, values percent-decoded (`+` stays a plus). */
export function parseHeader(header) {
  return [...header.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, name, value]) => [name, decodeURIComponent(value)]);
}

/** A header from decoded members, every value percent-encoded unless told otherwise. */
export function formatHeader(members, { separator = ",", scheme = "OAuth", encode = escape3986 } = {}) {
  return `${scheme} ` + members.map(([name, value]) => `${name}="${encode(value, name)}"`).join(separator);
}
