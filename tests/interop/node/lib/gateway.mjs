// One signed call, and what its answer must look like.
import assert from "node:assert/strict";
import { official } from "./oauth.mjs";
import { open, seal } from "./encryption.mjs";
import { send } from "./http.mjs";

/** The two places the same routes are mounted at. */
export const MOUNTS = ["", "/cts"];
export const USERS = "/issuers/users";

export const OUR_SOURCE = "CARBON CALCULATOR EXPERIENCE";
export const GATEWAY_SOURCE = "Gateway";

/**
 * Signs a request with the official signer and sends it.
 * `signedBody`, `signedTarget` and `signedMethod` let a case sign something other than what it sends.
 */
export function call(issuer, method, target, body, options = {}) {
  const { headers = {}, contentType = "application/json", authorization, ...signing } = options;
  const url = issuer.base_url + (options.signedTarget ?? target);
  const signed = authorization ?? official(issuer, options.signedMethod ?? method, url, options.signedBody ?? body, signing);
  return send(issuer.base_url, {
    method,
    target,
    body,
    headers: { Authorization: signed, ...(contentType && { "Content-Type": contentType }), ...headers },
  });
}

/** Encrypts with the library, signs, posts. */
export function enrol(issuer, library, clear, { mount = "", query = "", ...options } = {}) {
  const sealed = seal(library, clear);
  return call(issuer, "POST", mount + USERS + query, JSON.stringify(sealed.body), { ...options, headers: sealed.headers });
}

/** The same for an update. */
export function update(issuer, library, userid, clear, { mount = "", ...options } = {}) {
  const sealed = seal(library, clear);
  return call(issuer, "PUT", `${mount}${USERS}/${userid}`, JSON.stringify(sealed.body), { ...options, headers: sealed.headers });
}

/** Posts a body that is no work of the library. */
export function post(issuer, body, options = {}) {
  return call(issuer, "POST", (options.mount ?? "") + USERS, typeof body === "string" ? body : JSON.stringify(body), options);
}

/** wire-formats.md rule 8: a JSON object with Content-Length, whatever the status. */
export function jsonObject(answer) {
  assert.match(answer.headers["content-type"] ?? "", /^application\/json\b/i, `content type of ${answer.status} ${answer.text}`);
  assert.equal(Number(answer.headers["content-length"]), answer.raw.length, "Content-Length");
  const body = JSON.parse(answer.text);
  assert.ok(body !== null && typeof body === "object" && !Array.isArray(body), "the answer is a JSON object");
  return body;
}

/** A 200 whose (opened) body is a UserReference for this card. `library` null: expected in the clear. Returns the reference. */
export function assertEnrolled(answer, library, card) {
  assert.equal(answer.status, 200, answer.text);
  const body = jsonObject(answer);
  const reference = library ? open(library, body) : body;
  if (library) assert.ok("encryptedData" in body, "the answer is encrypted");
  assert.deepEqual(Object.keys(reference).sort(), ["cardNumberLastFourDigits", "status", "userid"]);
  assert.match(reference.userid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(reference.cardNumberLastFourDigits, card.slice(-4));
  assert.equal(reference.status, "ACTIVE");
  return reference;
}

/** The error elements of an answer, their shape checked (cce-api.md 3.10). Errors are never encrypted. */
export function errorElements(answer) {
  const body = jsonObject(answer);
  assert.deepEqual(Object.keys(body), ["Errors"], answer.text);
  const elements = body.Errors.Error;
  assert.ok(Array.isArray(elements) && elements.length > 0, answer.text);
  for (const element of elements) {
    assert.equal(typeof element.Source, "string");
    assert.equal(typeof element.ReasonCode, "string");
    assert.equal(typeof element.Recoverable, "boolean");
    assert.ok(element.Description.length >= 10 && element.Description.length <= 1000, element.Description);
    assert.equal(typeof element.Details, "string");
  }
  return elements;
}

/** An error of this status, every element with this reason code and source. */
export function assertError(answer, status, reasonCode, source = OUR_SOURCE) {
  const elements = errorElements(answer);
  assert.equal(answer.status, status, answer.text);
  for (const element of elements) {
    assert.equal(element.ReasonCode, reasonCode, answer.text);
    assert.equal(element.Source, source, answer.text);
  }
  return elements;
}

/**
 * Collects CRYPTO_ERROR answers and insists that all of them are the same, byte for byte: a sender must not learn which
 * step failed. One collector serves all files of cases.
 */
export class UniformCryptoError {
  first = undefined;

  check(answer) {
    assertError(answer, 400, "CRYPTO_ERROR");
    this.first ??= answer.text;
    assert.equal(answer.text, this.first);
  }
}
