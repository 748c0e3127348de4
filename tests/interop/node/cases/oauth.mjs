// O1 to O5: signatures that must verify.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { enrolment, newCard, postalCodeUpdate } from "../lib/cards.mjs";
import { fle, jwe, seal } from "../lib/encryption.mjs";
import { MOUNTS, USERS, assertEnrolled, call, enrol, errorElements, post, update } from "../lib/gateway.mjs";
import { RSA_PSS, RSA_SHA256, formatHeader, handMade, official, parseHeader, signers } from "../lib/oauth.mjs";

/** wire-formats.md O5: where libraries and RFC 5849 part ways. The server ignores query parameters it does not know. */
const QUERIES = ["lang=en-US", "t=10:30", "t=10%3A30", "q=a+b", "q=a+b&t=%3A", "q=a%20b", "q=AT%26T", "q=caf%C3%A9", "e=", "id=1&id2=2", "a=2&a=1"];

const SIGNATURE_ERRORS = /^(AUTHENTICATION_FAILED|INVALID_BODY_HASH)$/;

export default async function oauthCases(t, { issuers }) {
  const { demo, compat } = issuers;
  const library = jwe(demo);

  for (const mount of MOUNTS) {
    for (const signatureMethod of [RSA_SHA256, RSA_PSS]) {
      await t.case(`O1 POST and PUT at ${mount || "the root"}, ${signatureMethod}`, async () => {
        const card = newCard(demo);
        const { userid } = assertEnrolled(await enrol(demo, library, enrolment(card), { mount, signatureMethod }), library, card);
        const changed = await update(demo, library, userid, postalCodeUpdate("11747"), { mount, signatureMethod });
        assertEnrolled(changed, library, card);
      });
    }
  }

  /** Sends an enrolment under a header made from the body by `make`. */
  async function enrolSignedBy(make, { signed = demo } = {}) {
    const card = newCard(signed);
    const body = JSON.stringify(seal(jwe(signed), enrolment(card)).body);
    const authorization = make(signed, "POST", signed.base_url + USERS, body);
    const answer = await post(signed, body, { authorization });
    return assertEnrolled(answer, signed === compat ? null : jwe(signed), card);
  }

  await t.case("O2 a nonce of 8, as the Node signer makes it", () =>
    enrolSignedBy((...request) => {
      const header = official(...request);
      assert.equal(new Map(parseHeader(header)).get("oauth_nonce").length, 8);
      return header;
    }),
  );
  await t.case("O2 a nonce of 32", () => enrolSignedBy((...request) => handMade(...request, { set: { oauth_nonce: randomBytes(16).toString("hex") } })));

  await t.case("the same nonce from two issuers", async () => {
    const set = { oauth_nonce: randomBytes(8).toString("hex") };
    await enrolSignedBy((...request) => handMade(...request, { set }));
    await enrolSignedBy((...request) => handMade(...request, { set }), { signed: compat });
  });

  const members = (request) => parseHeader(official(...request));
  const bare = (value) => value;
  const variants = {
    "spaces after commas": (request) => formatHeader(members(request), { separator: ", " }),
    "spaces and tabs round commas": (request) => formatHeader(members(request), { separator: " ,\t" }),
    "spaces round the equals sign": (request) => official(...request).replace(/(oauth_\w+)="/g, '$1 = "'),
    "members shuffled": (request) => formatHeader(members(request).reverse()),
    "a realm first": (request) => official(...request).replace("OAuth ", 'OAuth realm="a, b=c",'),
    "a realm last": (request) => formatHeader([...members(request), ["realm", "x"]]),
    "every value percent-encoded": (request) => formatHeader(members(request)),
    "percent-encoding in lower case": (request) => formatHeader(members(request)).replace(/%[0-9A-F]{2}/g, (c) => c.toLowerCase()),
    "the signature as bare base64": (request) => formatHeader(members(request), { encode: bare }),
    "the scheme in lower case": (request) => formatHeader(members(request), { scheme: "oauth" }),
    "the scheme in upper case": (request) => formatHeader(members(request), { scheme: "OAUTH" }),
  };
  for (const [what, make] of Object.entries(variants)) {
    await t.case(`O3 header variant: ${what}`, () => enrolSignedBy((...request) => make(request)));
  }

  await t.case("O4 a strict RFC 5849 base string", () => enrolSignedBy((...request) => handMade(...request, { strict: true })));
  await t.case("no oauth_version", () => enrolSignedBy((...request) => handMade(...request, { omit: ["oauth_version"] })));
  await t.case("an oauth_ member we do not know, signed like the others", () =>
    enrolSignedBy((...request) => handMade(...request, { set: { oauth_note: "x" } })),
  );
  await t.case("RSA-PSS by hand, salt of 32", () =>
    enrolSignedBy((...request) => handMade(...request, { set: { oauth_signature_method: "RSA-PSS" }, sign: signers.rsaPss(32) })),
  );
  for (const seconds of [-240, 240]) {
    await t.case(`a clock ${seconds} s off`, () =>
      enrolSignedBy((...request) => handMade(...request, { set: { oauth_timestamp: String(Math.floor(Date.now() / 1000) + seconds) } })),
    );
  }

  for (const query of QUERIES) {
    await t.case(`O5 query ?${query}`, async () => {
      for (const mount of MOUNTS) {
        const card = newCard(demo);
        assertEnrolled(await enrol(demo, library, enrolment(card), { mount, query: `?${query}` }), library, card);
      }
    });
  }

  await t.case("O5 upper-case scheme and host in the URL that the client signs", () =>
    enrolSignedBy((issuer, method, url, body) => {
      const { origin } = new URL(url);
      return official(issuer, method, url.replace(origin, origin.toUpperCase()), body);
    }),
  );
  // Whether such a path names a user is the router's business; the signature over it, as sent, must hold.
  for (const suffix of ["/a%20b", "/a%2Fb", "/", "//", "/a%2fb/"]) {
    await t.case(`O5 the path is judged as sent: ${suffix}`, async () => {
      const body = JSON.stringify(seal(fle(demo), postalCodeUpdate("11747")).body);
      const answer = await call(demo, "PUT", USERS + suffix, body);
      assert.ok([400, 404, 405].includes(answer.status), answer.text);
      for (const { ReasonCode } of errorElements(answer)) assert.doesNotMatch(ReasonCode, SIGNATURE_ERRORS);
    });
  }
  await t.case("O5 a user id with an escaped hyphen is signed as sent", async () => {
    const card = newCard(demo);
    const { userid } = assertEnrolled(await enrol(demo, library, enrolment(card)), library, card);
    const answer = await update(demo, library, userid.replace("-", "%2D"), postalCodeUpdate("11747"));
    assert.ok([200, 400].includes(answer.status), answer.text);
  });
}
