// O6: signatures that must not verify. Each is tried with a body that would enrol; afterwards the card is still free.
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { readFileSync } from "node:fs";
import { enrolment, newCard } from "../lib/cards.mjs";
import { jwe, keyFingerprint, seal } from "../lib/encryption.mjs";
import { GATEWAY_SOURCE, USERS, assertEnrolled, assertError, call, errorElements, post } from "../lib/gateway.mjs";
import { RSA_PSS, bodyHash, formatHeader, handMade, official, parseHeader, signers } from "../lib/oauth.mjs";

export default async function oauthRefused(t, { issuers }) {
  const { demo, compat } = issuers;
  const library = jwe(demo);
  const newBody = (card = newCard(demo)) => JSON.stringify(seal(library, enrolment(card)).body);
  const url = demo.base_url + USERS;
  const at = (seconds) => ({ set: { oauth_timestamp: String(Math.floor(Date.now() / 1000) + seconds) } });
  const method = (name, sign, key) => ({ set: { oauth_signature_method: name }, sign, ...(key && { key }) });

  /** An answer of the gateway's kind: 400 or 401, and nothing about users or fields in it. */
  function refusedByGateway(answer) {
    assert.ok([400, 401].includes(answer.status), `${answer.status} ${answer.text}`);
    for (const { Source, ReasonCode } of errorElements(answer)) {
      assert.equal(Source, GATEWAY_SOURCE, answer.text);
      assert.match(ReasonCode, /^(AUTHENTICATION_FAILED|INVALID_BODY_HASH)$/);
    }
  }

  /** Every refusal ends with a proof that nothing was enrolled: the same card, signed properly, is welcome. */
  async function refuses(attempt, expected = refusedByGateway) {
    const card = newCard(demo);
    const body = newBody(card);
    expected(await attempt(body));
    assertEnrolled(await post(demo, body), library, card);
  }
  const unauthenticated = (answer) => assertError(answer, 401, "AUTHENTICATION_FAILED", GATEWAY_SOURCE);
  const wrongBodyHash = (answer) => assertError(answer, 400, "INVALID_BODY_HASH", GATEWAY_SOURCE);

  await t.case("O6 body changed after signing", () => refuses((body) => post(demo, body + " ", { signedBody: body }), wrongBodyHash));
  await t.case("O6 body of another card under this signature", () => refuses((body) => post(demo, newBody(), { signedBody: body }), wrongBodyHash));
  await t.case("O6 body hash of other bytes, signed", () =>
    refuses((body) => post(demo, body, { authorization: handMade(demo, "POST", url, body, { set: { oauth_body_hash: bodyHash("") } }) }), wrongBodyHash),
  );
  await t.case("O6 body hash of the re-serialised body", () =>
    refuses((body) => post(demo, JSON.stringify(JSON.parse(body), null, 1), { signedBody: body }), wrongBodyHash),
  );

  const requests = {
    "query pair added": (body) => call(demo, "POST", `${USERS}?lang=en-US`, body, { signedTarget: USERS }),
    "query pair removed": (body) => call(demo, "POST", USERS, body, { signedTarget: `${USERS}?lang=en-US` }),
    "query pair changed": (body) => call(demo, "POST", `${USERS}?lang=pl-PL`, body, { signedTarget: `${USERS}?lang=en-US` }),
    "a second value for a query name": (body) => call(demo, "POST", `${USERS}?a=1&a=2`, body, { signedTarget: `${USERS}?a=1` }),
    "method changed": (body) => post(demo, body, { signedMethod: "PUT" }),
    "path case changed": (body) => post(demo, body, { signedTarget: USERS.toUpperCase() }),
    "signed for /cts, sent to the root": (body) => post(demo, body, { signedTarget: `/cts${USERS}` }),
    "signed for the root, sent to /cts": (body) => post(demo, body, { mount: "/cts", signedTarget: USERS }),
    "trailing slash left out of the signature": (body) => post(demo, body, { signedTarget: `${USERS}/` }),
    "key of another consumer": (body) => post(demo, body, { key: readFileSync(compat.signing_key, "utf8") }),
    "RSA-PSS under the key of another consumer": (body) =>
      post(demo, body, { key: readFileSync(compat.signing_key, "utf8"), signatureMethod: RSA_PSS }),
    "decryption key instead of signing key": (body) => post(demo, body, { key: readFileSync(demo.decryption_key, "utf8") }),
  };
  for (const [what, attempt] of Object.entries(requests)) {
    await t.case(`O6 ${what}`, () => refuses(attempt, unauthenticated));
  }

  await t.case("O6 host of another tenant", () =>
    refuses((body) => post(demo, body, { authorization: official(demo, "POST", `https://other.example.com${USERS}`, body) }), unauthenticated),
  );
  await t.case("O6 another host, told by Host and X-Forwarded headers", () =>
    refuses((body) => {
      const authorization = official(demo, "POST", `https://other.example.com${USERS}`, body);
      const headers = { Host: "other.example.com", "X-Forwarded-Host": "other.example.com", "X-Forwarded-Proto": "https" };
      return post(demo, body, { authorization, headers });
    }, unauthenticated),
  );
  await t.case("O6 the client id of another issuer in a header changes nothing", () =>
    refuses(
      (body) => post(demo, body, { key: readFileSync(compat.signing_key, "utf8"), headers: { "x-openapi-clientid": demo.client_id } }),
      unauthenticated,
    ),
  );

  const handMadeHeaders = {
    "timestamp 400 s old": at(-400),
    "timestamp 400 s ahead": at(400),
    "timestamp of last year": at(-31_536_000),
    "timestamp in milliseconds": { set: { oauth_timestamp: String(Date.now()) } },
    "timestamp not a number": { set: { oauth_timestamp: "now" } },
    "timestamp negative": { set: { oauth_timestamp: "-1" } },
    "no timestamp": { omit: ["oauth_timestamp"] },
    "no nonce": { omit: ["oauth_nonce"] },
    "an empty nonce": { set: { oauth_nonce: "" } },
    "no signature method": { omit: ["oauth_signature_method"] },
    "no consumer key": { omit: ["oauth_consumer_key"] },
    "no body hash with a body": { omit: ["oauth_body_hash"] },
    "version 2.0": { set: { oauth_version: "2.0" } },
    "method HMAC-SHA1": method("HMAC-SHA1", signers.hmac("sha1", demo.consumer_key)),
    "method HMAC-SHA256": method("HMAC-SHA256", signers.hmac("sha256", keyFingerprint(demo.signing_key))),
    "method PLAINTEXT": method("PLAINTEXT", signers.plaintext("&")),
    "method RSA-SHA1": method("RSA-SHA1", signers.rsaSha1),
    "SHA-1 under the name RSA-SHA256": method("RSA-SHA256", signers.rsaSha1),
    "PSS under the name RSA-SHA256": method("RSA-SHA256", signers.rsaPss(32)),
    "PKCS#1 v1.5 under the name RSA-PSS": method("RSA-PSS", signers.rsaSha256),
    "PSS with a salt of 20": method("RSA-PSS", signers.rsaPss(20)),
    "PSS without salt": method("RSA-PSS", signers.rsaPss(0)),
    "PSS with the longest salt": method("RSA-PSS", signers.rsaPss(constants.RSA_PSS_SALTLEN_MAX_SIGN)),
    "an empty signature": { sign: () => "" },
    "a signature of zero bytes": { sign: () => Buffer.alloc(256).toString("base64") },
    "a signature that is no base64": { sign: () => "*".repeat(344) },
  };
  for (const [what, options] of Object.entries(handMadeHeaders)) {
    await t.case(`O6 ${what}`, () => refuses((body) => post(demo, body, { authorization: handMade(demo, "POST", url, body, options) })));
  }

  /** Headers spoilt after an honest signing. */
  const spoilt = {
    "signature missing": (members) => members.filter(([name]) => name !== "oauth_signature"),
    "nonce changed after signing": (members) => members.map(([name, value]) => [name, name === "oauth_nonce" ? `${value}x` : value]),
    "oauth_version removed after signing": (members) => members.filter(([name]) => name !== "oauth_version"),
  };
  for (const name of ["oauth_nonce", "oauth_consumer_key", "oauth_signature", "oauth_body_hash", "oauth_timestamp", "oauth_version"]) {
    spoilt[`${name} twice`] = (members) => [...members, members.find(([member]) => member === name)];
  }
  for (const [what, spoil] of Object.entries(spoilt)) {
    await t.case(`O6 ${what}`, () =>
      refuses((body) => post(demo, body, { authorization: formatHeader(spoil(parseHeader(official(demo, "POST", url, body)))) })),
    );
  }

  // No signature of an unknown key can be verified, so both answers of cce-api.md section 4 fit.
  await t.case("O6 unknown consumer key", async () => {
    const unknown = { ...demo, consumer_key: `${"x".repeat(48)}!${"0".repeat(48)}` };
    await refuses(
      (body) => post(unknown, body),
      (answer) => {
        const [{ ReasonCode }] = errorElements(answer);
        assert.match(`${answer.status} ${ReasonCode}`, /^(401 AUTHENTICATION_FAILED|404 SERVICE_PROVIDER_NOT_FOUND)$/);
      },
    );
  });

  await t.case("O6 no Authorization header", () => refuses((body) => post(demo, body, { authorization: "" })));
  await t.case("O6 another scheme", () => refuses((body) => post(demo, body, { authorization: "Bearer abc" })));
  await t.case("O6 nothing after the scheme", () => refuses((body) => post(demo, body, { authorization: "OAuth " })));

  await t.case("O6 repeated nonce: the same request again", async () => {
    const card = newCard(demo);
    const body = newBody(card);
    const authorization = official(demo, "POST", url, body);
    assertEnrolled(await post(demo, body, { authorization }), library, card);
    refusedByGateway(await post(demo, body, { authorization }));
  });
  await t.case("O6 repeated nonce under a fresh signature", async () => {
    const set = { oauth_nonce: `n${Date.now()}abcdef` };
    const card = newCard(demo);
    const first = newBody(card);
    assertEnrolled(await post(demo, first, { authorization: handMade(demo, "POST", url, first, { set }) }), library, card);
    await refuses((body) => post(demo, body, { authorization: handMade(demo, "POST", url, body, { set }) }));
  });
  await t.case("O6 a refused request does not use up its nonce", async () => {
    const set = { oauth_nonce: `m${Date.now()}abcdef` };
    const card = newCard(demo);
    const body = newBody(card);
    const stolen = handMade(demo, "POST", url, body, { set, key: readFileSync(compat.signing_key, "utf8") });
    refusedByGateway(await post(demo, body, { authorization: stolen }));
    assertEnrolled(await post(demo, body, { authorization: handMade(demo, "POST", url, body, { set }) }), library, card);
  });
}
