// ISSUER_GATEWAY=path/to/issuer-gateway node --test
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Sandbox } from "./sandbox.mjs";

let sandbox;
before(async () => {
  sandbox = await Sandbox.start({ seed: fileURLToPath(new URL("../seed.toml", import.meta.url)), seedKeys: "ci" });
});
after(() => sandbox.stop());

test("the seed is there, with the same ids each time", () => {
  const { jane } = sandbox.description.cardholders;
  assert.equal(jane.issuer, "acme");
  assert.equal(jane.userid, "b9e3a66f-827f-4ba2-8a71-24eee5519685");
  assert.ok(existsSync(sandbox.path(sandbox.description.issuers.acme.signing_key)));
});

test("a client sees the fault that it asks for, and the console keeps the call", async () => {
  const busy = await fetch(`${sandbox.baseUrl}/issuers`, { headers: { "X-Sandbox-Fault": "unavailable=7" } });
  assert.equal(busy.status, 503);
  assert.equal(busy.headers.get("retry-after"), "7");
  const { calls } = await (await fetch(`${sandbox.baseUrl}/console/calls.json?refused=1`)).json();
  assert.equal(calls[0].fault, "unavailable=7");
});
