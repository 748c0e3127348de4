// Who may look, how long, and on which node: tokens, cookies, clocks, a killed node.
import assert from "node:assert/strict";
import { call } from "../../node/lib/gateway.mjs";
import { loadSandbox } from "../../node/lib/sandbox.mjs";
import { eventually, get } from "./cluster.mjs";
import { SCREENS, open, root } from "./pages.mjs";

const MINUTES = 60;
const HOURS = 3_600;

/** What differs from page to page, taken out. */
const withoutNonce = (html) => html.replace(/nonce="[^"]*"/g, "");

const token = (url) => new URL(url).searchParams.get("auth_token");

export async function cases(runner, { browser, cluster, user }) {
  await runner.case("1 a fresh address opens a view in Swedish, with a cookie for its path", async () => {
    const { context, page } = await open(browser);
    const url = cluster.address("demo", user, "sv");
    const first = await get(url);
    assert.equal(first.status, 303);
    assert.match(first.headers["set-cookie"][0], /^__Secure-view=[\w-]+; Path=\/home\/v\/[0-9a-f]{32}\/; Secure; HttpOnly; SameSite=Lax$/);
    const answer = await page.goto(url);
    assert.equal(answer.status(), 200);
    assert.equal(await page.locator("html").getAttribute("lang"), "sv");
    assert.ok(!page.url().includes("auth_token") && !page.url().includes(token(url)), page.url());
    const [cookie, ...more] = await context.cookies(page.url());
    assert.equal(more.length, 0);
    assert.ok(cookie.httpOnly && cookie.secure && cookie.path.startsWith("/home/v/") && cookie.sameSite === "Lax");
    await context.close();
  });

  await runner.case("1 who asks for the header alone opens nothing", async () => {
    for (const issuer of ["demo", "compat"]) {
      const url = cluster.address(issuer, issuer === "demo" ? user : cluster.cardholder(issuer), "sv");
      const answer = await get(url, { method: "HEAD" });
      assert.equal(answer.status, 303);
      assert.equal(answer.headers["set-cookie"], undefined);
      assert.equal((await get(new URL(answer.headers.location, url).href)).status, 401);
    }
  });

  await runner.case("2 an address works for 15 minutes, a view for three hours", async () => {
    const begin = Math.floor(Date.now() / 1_000);
    const kept = await open(browser);
    try {
      cluster.stopClock(begin);
      const url = cluster.address("demo", user, "sv");
      await kept.page.goto(url);

      cluster.stopClock(begin + 15 * MINUTES - 1);
      const second = await open(browser);
      assert.equal((await second.page.goto(url)).status(), 200);
      assert.notEqual(second.page.url(), kept.page.url());
      await second.context.close();
      assert.equal((await kept.page.reload()).status(), 200);

      cluster.stopClock(begin + 15 * MINUTES + 1);
      const late = await open(browser);
      assert.equal((await late.page.goto(url)).status(), 401);
      assert.equal(await late.page.locator("h1").innerText(), "Vyn har stängts");
      assert.equal(await late.page.locator("a.button").getAttribute("href"), "bankapp://home");
      await late.context.close();

      for (let at = 29 * MINUTES; at < 3 * HOURS - MINUTES; at += 14 * MINUTES) {
        cluster.stopClock(begin + at);
        await kept.page.locator("#ends a").click();
        await kept.page.waitForLoadState();
        assert.equal(await kept.page.locator("html").getAttribute("lang"), "sv");
        assert.equal(await kept.page.locator("#ends a").count(), 1, `${at / MINUTES} minutes`);
      }
      cluster.stopClock(begin + 3 * HOURS - MINUTES);
      assert.equal((await kept.page.reload()).status(), 200);
      cluster.stopClock(begin + 3 * HOURS + MINUTES);
      assert.equal((await kept.page.reload()).status(), 401);
    } finally {
      await cluster.releaseClock();
    }
    await kept.context.close();
  });

  await runner.case("2 an issuer's addresses can be good for one view alone", async () => {
    const url = cluster.address("basic", cluster.cardholder("basic"), "en-US");
    assert.equal((await get(url, { method: "HEAD" })).status, 303);
    const { context, page } = await open(browser);
    assert.equal((await page.goto(url)).status(), 200);
    // Asked of whatever node, it has been used.
    for (let node = 0; node < 3; node++) assert.equal((await get(url)).status, 401);
    assert.equal((await page.reload()).status(), 200);
    await context.close();
  });

  await runner.case("3 a view ends at the next click after its right has", async () => {
    const bodies = [];
    const ends = {
      deletion: (who) => call(loadSandbox(cluster.description).issuers.basic, "POST", "/issuers/user-deletions", JSON.stringify([who])),
      inactivation: (who) => cluster.command("user", "set-status", who, "INACTIVE"),
      suspension: () => cluster.command("issuer", "set-status", cluster.clientId("basic"), "SUSPENDED"),
      donation: () => cluster.command("issuer", "set-donation", cluster.clientId("basic"), "on"),
    };
    for (const [name, end] of Object.entries(ends)) {
      const who = await eventually(() => cluster.cardholder("basic"));
      const { context, page } = await open(browser);
      await page.goto(await eventually(() => cluster.address("basic", who, "en-US")));
      await end(who);
      await eventually(async () => assert.equal((await page.goto(`${root(page)}method`)).status(), 401, name));
      assert.equal(await page.locator("h1").innerText(), "This view has closed", name);
      bodies.push(withoutNonce(await page.content()));
      await context.close();
      if (name === "suspension") cluster.command("issuer", "set-status", cluster.clientId("basic"), "ACTIVE");
    }
    assert.equal(new Set(bodies).size, 1);
  });

  await runner.case("4 a token that is not whole opens nothing, and looks like any other", async () => {
    const url = cluster.address("demo", user, "sv");
    const bytes = Buffer.from(token(url), "base64url");
    const forged = [];
    for (let index = 0; index < bytes.length; index++) {
      const flipped = Buffer.from(bytes);
      flipped[index] ^= 1 << index % 8;
      forged.push(flipped.toString("base64url"));
    }
    for (let length = 0; length < bytes.length; length += 4) forged.push(bytes.subarray(0, length).toString("base64url"));
    // Not the canonical spelling of the same bytes.
    forged.push(`${token(url)}=`, `${token(url)}A`);
    // The clear part names another issuer.
    const foreign = Buffer.from(token(cluster.address("compat", cluster.cardholder("compat"), "sv")), "base64url");
    forged.push(Buffer.concat([foreign.subarray(0, 11), bytes.subarray(11)]).toString("base64url"));
    const bodies = new Set();
    for (const text of forged) {
      const answer = await get(`${cluster.origin}/home/?auth_token=${text}&lang=sv`);
      assert.equal(answer.status, 401, text);
      bodies.add(withoutNonce(answer.text));
    }
    assert.equal(bodies.size, 1);
    const [body] = bodies;
    assert.ok(!body.includes("bankapp:") && !body.includes("#0B6E4F"), "neither the issuer's link nor its colours");
  });

  await runner.case("5 three nodes take turns, and one that is killed is not missed", async () => {
    const { context, page } = await open(browser);
    await page.goto(cluster.address("demo", user, "en-US"));
    const view = root(page);
    cluster.served.length = 0;
    const click = async (screen) => {
      assert.equal((await page.goto(view + screen)).status(), 200, screen);
      assert.equal(root(page), view);
    };
    for (const screen of SCREENS) await click(screen);
    assert.deepEqual([...new Set(cluster.served)].sort(), [0, 1, 2]);
    const before = cluster.retries;
    await cluster.kill(2);
    for (const screen of [...SCREENS, ...SCREENS]) await click(screen);
    assert.ok(cluster.retries > before, "the balancer has met the node that is gone");
    await cluster.restart(2);
    cluster.served.length = 0;
    for (const screen of SCREENS) await click(screen);
    assert.ok(cluster.served.includes(2));
    await context.close();
  });

  await runner.case("6 two cardholders' views in one browser never mix", async () => {
    const other = cluster.cardholder("demo", 3);
    const { context, page } = await open(browser);
    const second = await context.newPage();
    await page.goto(cluster.address("demo", user, "en-US"));
    await second.goto(cluster.address("demo", other, "en-US"));
    const all = async (page) => [await page.locator("#about-h + ul").innerText(), await page.locator(".figure").first().innerText(), await page.locator(".payments").innerText()];
    const [one, two] = [await all(page), await all(second)];
    assert.notDeepEqual(one, two);
    for (let round = 0; round < 3; round++) {
      await page.reload();
      await second.reload();
      assert.deepEqual([await all(page), await all(second)], [one, two]);
    }
    const cookies = await context.cookies();
    assert.equal(new Set(cookies.map((cookie) => cookie.path)).size, 2);
    await context.close();
  });
}
