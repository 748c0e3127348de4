// Frames, and what must be in no record.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { get } from "./cluster.mjs";
import { SCREENS, open, root } from "./pages.mjs";

const LISTED = "https://bank.example";
const UNLISTED = "https://evil.example";

/** A page of another site that frames an address. */
async function framed(browser, site, url) {
  const { context, page, seen } = await open(browser);
  await context.route(`${site}/**`, (route) =>
    route.fulfill({ contentType: "text/html", body: `<!doctype html><title>a bank</title><iframe src="${url.replaceAll("&", "&amp;")}" width="360" height="700"></iframe>` }),
  );
  await page.goto(`${site}/`);
  await page.waitForLoadState("networkidle");
  return { context, page, seen, frame: page.frames()[1] };
}

export async function cases(runner, { browser, cluster, user }) {
  const inFrame = cluster.cardholder("compat");

  await runner.case("20 a listed site can frame the view, without a cookie", async () => {
    const { context, page, frame } = await framed(browser, LISTED, cluster.address("compat", inFrame, "en-US"));
    assert.match(frame.url(), /\/home\/f\//);
    await frame.getByRole("button", { name: "Got it" }).click();
    // The heading is on the page before, too.
    await frame.getByRole("button", { name: "Got it" }).waitFor({ state: "detached" });
    await frame.locator("#what-if-h").waitFor();
    await frame.locator(".payments a").first().click();
    await frame.getByRole("heading", { name: "How was this estimated?" }).waitFor();
    await frame.locator("#ends a").click();
    await frame.getByRole("heading", { name: "How was this estimated?" }).waitFor();
    assert.deepEqual(await context.cookies(), []);
    await page.close();
    await context.close();
  });

  await runner.case("20 an unlisted site can frame neither kind of view", async () => {
    for (const url of [cluster.address("compat", inFrame, "en-US"), cluster.address("demo", user, "en-US")]) {
      const { context, seen, frame } = await framed(browser, UNLISTED, url);
      const shown = await frame.evaluate(() => document.querySelector("main") !== null).catch(() => false);
      assert.equal(shown, false);
      assert.match(seen.complaints.join("\n"), /frame-ancestors|Framing/i);
      await context.close();
    }
  });

  await runner.case("20 tokens, merchants and card numbers are in no log, audit trail or metric", async () => {
    const secrets = new Set();
    for (const [issuer, who] of [["demo", user], ["compat", inFrame]]) {
      const url = cluster.address(issuer, who, "en-US");
      secrets.add(new URL(url).searchParams.get("auth_token"));
      const { context, page } = await open(browser);
      await page.goto(url);
      for (const screen of SCREENS) await page.goto(root(page) + screen);
      for (const name of await page.locator(".payments b").allInnerTexts()) secrets.add(name);
      for (const { value } of await context.cookies()) secrets.add(value);
      if (issuer === "compat") secrets.add(root(page).split("/").at(-2));
      await page.goto(`${root(page)}transactions`);
      for (const name of await page.locator(".payments .who b").allInnerTexts()) secrets.add(name);
      await context.close();
    }
    await get(`${cluster.origin}/home/?auth_token=thisIsNoToken&lang=sv`);
    secrets.add("thisIsNoToken");
    const figures = /^[^a-z]*$|kg$|not counted/;
    const wanted = [...secrets].filter((text) => text && !figures.test(text));
    assert.ok(wanted.length >= 8, wanted.join(", "));
    const records = { log: readFileSync(cluster.log, "utf8"), audit: cluster.command("audit", "export"), metrics: await cluster.metrics() };
    assert.match(records.audit, /dashboard\.open/);
    assert.match(records.metrics, /\/home\/\{mode\}\/\{view\}\//);
    assert.ok(records.log.length > 0);
    for (const [name, text] of Object.entries(records)) {
      for (const secret of wanted) assert.ok(!text.includes(secret), `${name}: ${secret.slice(0, 12)}`);
      // A card of the sandbox: one of its ranges, 16 digits.
      assert.doesNotMatch(text, /\b(534403|518145|5424|222300|552433|510665|5050)\d{10,12}\b/, name);
      assert.doesNotMatch(text, /auth_token=/, name);
    }
  });
}
