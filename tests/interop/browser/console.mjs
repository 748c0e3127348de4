// The sandbox's console in a real browser: `node console.mjs <sandbox.json> <issuer-gateway>`, started by ../run.sh.
// SCREENSHOTS=folder says where the pictures go (target/interop/screenshots by default).
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { call } from "../node/lib/gateway.mjs";
import { Runner } from "../node/lib/runner.mjs";
import { loadSandbox } from "../node/lib/sandbox.mjs";

const require = createRequire(join(process.env.INTEROP_NODE_DIR, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };

const [, , description, program] = process.argv;
const sandbox = loadSandbox(description);
const origin = JSON.parse(readFileSync(description, "utf8")).base_url;
const runner = new Runner("console");
const browser = await chromium.launch({ executablePath: process.env.INTEROP_CHROMIUM, args: FLAGS });
const pictures = process.env.SCREENSHOTS ?? join(process.env.INTEROP_NODE_DIR, "..", "screenshots");
mkdirSync(pictures, { recursive: true });

const client = (...args) => execFileSync(program, ["client", ...args, "--sandbox", description], { encoding: "utf8" });

async function window(options = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  const page = await context.newPage();
  const seen = { complaints: [], requests: [] };
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.complaints.push(message.text()));
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  page.on("request", (request) => seen.requests.push(request.url()));
  return { context, page, seen };
}

async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate((tags) => axe.run(document, { runOnly: tags }), TAGS);
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`.slice(0, 400));
}

const newest = async () => (await (await fetch(`${origin}/console/calls.json`)).json()).calls[0];

/** A call that is signed well and says something else than it signed. */
async function forged() {
  const answer = await call(sandbox.issuers.demo, "POST", "/issuers/users", '{"encryptedData":"x"}', { signedBody: '{"encryptedData":"y"}' });
  assert.ok(answer.status >= 400, answer.text);
  return (await newest()).number;
}

/** A call whose signature leaves the query out. */
async function withoutQuery() {
  const path = "/issuers/users/00000000-0000-4000-8000-000000000000/dashboards";
  const answer = await call(sandbox.issuers.demo, "GET", `${path}?lang=sv`, undefined, { signedTarget: path });
  assert.equal(answer.status, 401, answer.text);
  return (await newest()).number;
}

await runner.case("calls come in while the list is open, the newest first", async () => {
  const { context, page, seen } = await window();
  await fetch(`${origin}/console/clear`, { method: "POST" });
  await page.goto(`${origin}/`);
  await page.getByText("Nothing here yet").waitFor();
  await page.getByText("Live: 0 shown").waitFor();
  client("enrol");
  await page.locator("#calls tr").first().waitFor();
  assert.equal(await page.getByText("Nothing here yet").count(), 0);
  const number = await forged();
  await page.locator(`#calls tr[data-number="${number}"]`).waitFor();
  assert.equal(await page.locator("#calls tr").first().getAttribute("data-number"), String(number));
  await page.getByText("Live: 2 shown").waitFor();
  await page.reload();
  await page.getByText("Live: 2 shown").waitFor();
  assert.equal(await page.locator("#calls tr").count(), 2);
  assert.deepEqual(seen.complaints, []);
  assert.deepEqual(seen.requests.filter((url) => !url.startsWith(`${origin}/`)), []);
  await context.close();
});

await runner.case("the list can be narrowed, also while it is live", async () => {
  const { context, page } = await window();
  await page.goto(`${origin}/`);
  await page.getByLabel("Issuer").selectOption("demo");
  await page.getByLabel("refused only").check();
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByText("Live: 1 shown").waitFor();
  assert.equal(await page.locator("#calls tr").count(), 1);
  client("enrol");
  client("enrol", "--issuer", "basic");
  const number = await forged();
  await page.locator(`#calls tr[data-number="${number}"]`).waitFor();
  assert.equal(await page.locator("#calls tr").count(), 2);
  await context.close();
});

await runner.case("a call shows both sides", async () => {
  const { context, page } = await window();
  client("enrol");
  await page.goto(`${origin}/`);
  await page.locator("#calls a").first().click();
  await page.getByRole("region", { name: "In clear" }).first().waitFor();
  assert.match(await page.locator("#request-w ~ pre").innerText(), /encryptedData/);
  assert.match(await page.locator("#request-c ~ pre").innerText(), /Jane Sample/);
  assert.match(await page.locator("#answer-c ~ pre").innerText(), /"status": "ACTIVE"/);
  assert.equal(await page.locator(".steps tr").count(), 7);
  await context.close();
});

await runner.case("a refused call shows the mistake, and both texts", async () => {
  const { context, page } = await window();
  await page.goto(`${origin}/console/calls/${await withoutQuery()}`);
  await page.getByText("The client left the query out of the base string").waitFor();
  assert.equal(await page.locator(".diff del").count(), 1);
  assert.match(await page.locator(".diff del").innerText(), /lang%3Dsv/);
  assert.equal(await page.locator(".verdict.failed").count(), 1);
  assert.match(await page.locator("tr.failed th").innerText(), /Base string|Signature/);
  await context.close();
});

await runner.case("buttons make calls, and the web view opens", async () => {
  const { context, page, seen } = await window();
  await page.goto(`${origin}/console/try?issuer=demo`);
  await page.getByRole("button", { name: "Enrol a sample cardholder" }).click();
  await page.getByText("Enrolled the cardholder").waitFor();
  await page.getByRole("button", { name: "Send a sample year" }).click();
  await page.getByText(/Sent \d+ transactions/).waitFor();
  await page.getByRole("button", { name: "Suspend the issuer" }).click();
  await page.getByRole("button", { name: "Resume the issuer" }).click();
  await page.getByText("The issuer may call again").waitFor();
  await page.getByRole("button", { name: "Open the web view" }).click();
  await page.waitForURL(/\/home\/v\//);
  assert.deepEqual(seen.complaints, []);
  await context.close();
});

await runner.case("a fault is ordered, met once, and gone", async () => {
  const { context, page } = await window();
  await page.goto(`${origin}/console/faults`);
  await page.getByLabel("Of").selectOption("demo");
  await page.getByLabel("Fault").selectOption("USER_INACTIVE");
  await page.getByRole("button", { name: "Order" }).click();
  await page.getByText("Calls of demo that get USER_INACTIVE: the next 1").waitFor();
  const refused = spawnSync(program, ["client", "enrol", "--sandbox", description], { encoding: "utf8" });
  assert.match(refused.stdout, /USER_INACTIVE/);
  await page.reload();
  await page.getByText("Calls are handled as always").waitFor();
  client("enrol");
  await context.close();
});

await runner.case("everything works without script, but for what is live", async () => {
  const { context, page } = await window({ javaScriptEnabled: false });
  for (const path of ["/", "/console/try", "/console/faults", `/console/calls/${(await newest()).number}`]) {
    assert.equal((await page.goto(origin + path)).status(), 200, path);
  }
  await page.goto(`${origin}/console/faults`);
  await page.getByRole("button", { name: "Order" }).click();
  await page.getByRole("button", { name: "Take all back" }).click();
  await page.getByText("Calls are handled as always").first().waitFor();
  await context.close();
});

await runner.case("axe finds nothing, and every screen is pictured", async () => {
  const refused = await forged();
  const why = await withoutQuery();
  client("enrol");
  const done = (await newest()).number;
  const screens = { list: "/", try: "/console/try", faults: "/console/faults", refused: `/console/calls/${refused}`, why: `/console/calls/${why}`, done: `/console/calls/${done}`, missing: "/console/calls/0" };
  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    for (const colorScheme of ["light", "dark"]) {
      const { context, page } = await window({ viewport, colorScheme });
      for (const [name, path] of Object.entries(screens)) {
        await page.goto(origin + path);
        if (name === "list") await page.getByText("Live:").waitFor();
        assert.deepEqual(await violations(page), [], `${size} ${colorScheme} ${name}`);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= viewport.width, `${name} is ${width} wide`);
        await page.screenshot({ path: join(pictures, `console-${name}-${size}-${colorScheme}.png`), fullPage: name !== "list" });
      }
      await context.close();
    }
  }
});

await runner.case("at 320 px with text of 200 % nothing is cut", async () => {
  const { context, page } = await window({ viewport: { width: 320, height: 640 } });
  for (const path of ["/", "/console/try", "/console/faults", `/console/calls/${await withoutQuery()}`]) {
    await page.goto(origin + path);
    await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 320, `${path}: ${width}`);
  }
  await context.close();
});

await runner.case("by keyboard alone, each stop with a ring, in the order of the page", async () => {
  for (const path of ["/", "/console/faults", `/console/calls/${(await newest()).number}`]) {
    const { context, page } = await window();
    await page.goto(origin + path);
    const places = [];
    for (let step = 0; step < 300; step++) {
      await page.keyboard.press("Tab");
      const focus = await page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return null;
        return {
          text: element.textContent.trim().slice(0, 40),
          ring: getComputedStyle(element).outlineStyle,
          place: [...document.querySelectorAll("*")].indexOf(element),
        };
      });
      if (!focus) break;
      assert.notEqual(focus.ring, "none", focus.text);
      places.push(focus);
    }
    assert.equal(places[0].text, "Skip to content");
    const order = places.map(({ place }) => place);
    assert.deepEqual(order, [...order].sort((a, b) => a - b), path);
    await context.close();
  }
});

await runner.case("a page elsewhere can neither read, frame nor change the console", async () => {
  const { context, page } = await window();
  await page.route("http://elsewhere.example/**", (route) => route.fulfill({ contentType: "text/html", body: "<title>elsewhere</title>" }));
  await page.goto("http://elsewhere.example/");
  const read = await page.evaluate((url) => fetch(url).then((answer) => answer.text(), () => "kept out"), `${origin}/console/calls.json`);
  assert.equal(read, "kept out");
  const before = (await (await fetch(`${origin}/console/faults`)).text()).includes("Calls are handled as always");
  await page.evaluate((url) => fetch(url, { method: "POST", mode: "no-cors", body: new URLSearchParams({ fault: "cut", calls: "9" }) }).catch(() => {}), `${origin}/console/faults`);
  assert.ok(before && (await (await fetch(`${origin}/console/faults`)).text()).includes("Calls are handled as always"));
  await context.close();
});

await browser.close();
runner.finish();
