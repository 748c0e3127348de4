// An issuer's own profile (cce-api.md 3.6 to 3.8): plain JSON, signed by the official signer; GET has no body.
import assert from "node:assert/strict";
import { GATEWAY_SOURCE, MOUNTS, assertError, call, jsonObject } from "../lib/gateway.mjs";
import { RSA_PSS, RSA_SHA256, official } from "../lib/oauth.mjs";

const ISSUERS = "/issuers";

export default async function issuers(t, { issuers: { demo, compat } }) {
  const get = (issuer, options = {}) => call(issuer, "GET", (options.mount ?? "") + ISSUERS, undefined, options);
  const put = (issuer, body, options = {}) => call(issuer, "PUT", (options.mount ?? "") + ISSUERS, JSON.stringify(body), options);
  const profile = (answer) => {
    assert.equal(answer.status, 200, answer.text);
    return jsonObject(answer);
  };

  for (const mount of MOUNTS) {
    for (const signatureMethod of [RSA_SHA256, RSA_PSS]) {
      const where = `${mount || "the root"}, ${signatureMethod.algorithm ?? signatureMethod}`;
      await t.case(`profile at ${where}: show, change, show`, async () => {
        const options = { mount, signatureMethod };
        const before = profile(await get(demo, options));
        for (const name of ["clientId", "supportedAccountRange", "status", "email", "currencyCode", "countryCode", "countryName", "preferredTheme"]) {
          assert.ok(name in before, name);
        }
        assert.ok(demo.consumer_key.startsWith(`${before.clientId}!`));
        // The reference application sends a URL with a leading blank.
        const changed = profile(await put(demo, { optOutURL: " https://demo.example/out?é=1&t=10:30", preferredTheme: { fontColor: "#123456" } }, options));
        assert.equal(changed.optOutURL, "https://demo.example/out?é=1&t=10:30");
        assert.deepEqual(changed.preferredTheme, { ...before.preferredTheme, fontColor: "#123456" });
        assert.equal(changed.supportedAccountRange, before.supportedAccountRange);
        const after = profile(await get(demo, options));
        assert.deepEqual({ ...after, ...changed }, after);
      });
    }
  }

  await t.case("profile: a range of another issuer is refused", async () => {
    const [taken] = profile(await get(compat)).supportedAccountRange.split(",");
    assertError(await put(demo, { supportedAccountRange: taken }), 400, "SERVICE_PROVIDER_ACCOUNT_RANGES_ALREADY_EXIST");
  });
  await t.case("profile: PUT without a body, and other media types", async () => {
    assertError(await call(demo, "PUT", ISSUERS), 400, "INVALID_REQUEST_PARAMETER");
    assertError(await put(demo, {}, { contentType: "text/plain" }), 415, "UNSUPPORTED_MEDIA_TYPE");
  });
  await t.case("profile: a signed GET is good for once", async () => {
    const authorization = official(demo, "GET", demo.base_url + ISSUERS);
    profile(await get(demo, { authorization }));
    assertError(await get(demo, { authorization }), 401, "AUTHENTICATION_FAILED", GATEWAY_SOURCE);
  });
}
