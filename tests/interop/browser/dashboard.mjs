// The cardholder's web view in a real browser: `node dashboard.mjs <sandbox.json> <issuer-gateway>`, started by ../run.sh.
// The numbers are those of the acceptance list; what needs a clock, other nodes or a database is in tests/http/dashboard.
// SCREENSHOTS=folder says where the pictures of every screen go (target/interop/screenshots by default).
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { call } from "../node/lib/gateway.mjs";
import { Runner } from "../node/lib/runner.mjs";
import { loadSandbox } from "../node/lib/sandbox.mjs";

const require = createRequire(join(process.env.INTEROP_NODE_DIR, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const LANGUAGES = ["en-US", "es-419", "sv", "pl-PL", "ms-MY"];
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const SCREENS = ["", "transactions", "method", "intro", "category/101"];
/** Contrast of each pair, computed from what the browser shows. */
const PAIRS = [
  ["body", "color", "body", 4.5],
  [".card p", "color", ".card", 4.5],
  [".card .muted", "color", ".card", 4.5],
  [".fill", "fill", ".card", 3],
];

const [, , description, program] = process.argv;
const runner = new Runner("dashboard");
const browser = await chromium.launch({ executablePath: process.env.INTEROP_CHROMIUM, args: FLAGS });
const pictures = process.env.SCREENSHOTS ?? join(process.env.INTEROP_NODE_DIR, "..", "screenshots");
mkdirSync(pictures, { recursive: true });

const command = (...args) => execFileSync(program, args, { encoding: "utf8" });
const client = (issuer, ...args) => command("client", ...args, "--sandbox", description, "--issuer", issuer);

/** A cardholder of the issuer with a year of payments. */
function cardholder(issuer) {
  const { userid } = JSON.parse(client(issuer, "enrol"));
  const year = command("client", "transactions", "sample", userid);
  execFileSync(program, ["client", "transactions", "send", "-", "--sandbox", description, "--issuer", issuer], { input: year });
  return userid;
}

const address = (issuer, user, lang) => client(issuer, "dashboard", user, "--lang", lang).trim().split("\n").at(-1);

async function window(options = {}) {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, ...options });
  const page = await context.newPage();
  const seen = { complaints: [], requests: [] };
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.complaints.push(message.text()));
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  page.on("request", (request) => seen.requests.push(request.url()));
  return { context, page, seen };
}

const user = cardholder("demo");
const origin = new URL(address("demo", user, "en-US")).origin;

/** The root of the view that a page shows. */
const root = (page) => page.url().match(/^.*\/home\/[vf]\/[^/]+\//)[0];

await runner.case("1 a fresh address opens a view in Swedish, with a cookie for its path", async () => {
  const { context, page } = await window();
  const answer = await page.goto(address("demo", user, "sv"));
  assert.equal(answer.status(), 200);
  assert.equal(await page.locator("html").getAttribute("lang"), "sv");
  assert.ok(!page.url().includes("auth_token"), page.url());
  const [cookie, ...more] = await context.cookies(page.url());
  assert.equal(more.length, 0);
  assert.ok(cookie.httpOnly && cookie.path.startsWith("/home/v/") && cookie.sameSite === "Lax");
  await context.close();
});

await runner.case("6 two cardholders' views in one browser never mix", async () => {
  const other = cardholder("demo");
  const { context, page } = await window();
  const second = await context.newPage();
  await page.goto(address("demo", user, "en-US"));
  await second.goto(address("demo", other, "en-US"));
  const card = (page) => page.locator("#about-h + ul").innerText();
  const [one, two] = [await card(page), await card(second)];
  for (let round = 0; round < 3; round++) {
    await page.reload();
    await second.reload();
    assert.deepEqual([await card(page), await card(second)], [one, two]);
  }
  const cookies = await context.cookies();
  assert.equal(new Set(cookies.map((cookie) => cookie.path)).size, 2);
  await context.close();
});

await runner.case("7 every screen works without script", async () => {
  const fresh = cardholder("demo");
  const { context, page } = await window({ javaScriptEnabled: false });
  await page.goto(address("demo", fresh, "en-US"));
  await page.getByRole("button", { name: "Got it" }).click();
  assert.equal(await page.getByRole("button", { name: "Got it" }).count(), 0);
  const before = await page.locator("#what-if-h ~ .lead").innerText();
  await page.locator("#cut").selectOption("50");
  await page.locator(".what-if button").click();
  assert.notEqual(await page.locator("#what-if-h ~ .lead").innerText(), before);
  await page.locator(".payments a").first().click();
  assert.match(await page.locator("h1").innerText(), /How was this estimated/);
  for (const screen of SCREENS) assert.equal((await page.goto(root(page) + screen)).status(), 200, screen);
  await context.close();
});

await runner.case("8 no violation of the policy, no other origin, no style attribute", async () => {
  const { context, page, seen } = await window();
  await page.goto(address("demo", user, "en-US"));
  for (const screen of SCREENS) {
    const answer = await page.goto(root(page) + screen);
    assert.ok(!/\sstyle=/.test(await answer.text()), screen);
  }
  assert.deepEqual(seen.complaints, []);
  const elsewhere = seen.requests.filter((url) => !url.startsWith(`${origin}/`));
  assert.deepEqual(elsewhere, []);
  await context.close();
});

async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate((tags) => axe.run(document, { runOnly: tags }), TAGS);
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`.slice(0, 400));
}

for (const lang of LANGUAGES) {
  await runner.case(`9 axe finds nothing, and every screen is pictured: ${lang}`, async () => {
    for (const issuer of ["demo", "compat", "basic"]) {
      const who = issuer === "demo" ? user : cardholder(issuer);
      for (const colorScheme of ["light", "dark"]) {
        const { context, page } = await window({ colorScheme });
        await page.goto(address(issuer, who, lang));
        const payment = await page.locator(".payments a").first().getAttribute("href");
        for (const screen of [...SCREENS, payment.replace(/^\.\//, "")]) {
          await page.goto(root(page) + screen);
          assert.deepEqual(await violations(page), [], `${issuer} ${colorScheme} ${screen}`);
          const name = `${issuer}-${lang}-${colorScheme}-${screen.split("/")[0].split("?")[0] || "overview"}${screen === payment.replace(/^\.\//, "") ? "-one" : ""}.png`;
          await page.screenshot({ path: join(pictures, name), fullPage: true });
        }
        await context.close();
      }
    }
  });
}

const THEMES = [
  {},
  { backgroundColor: "#fff", widgetBackgroundColor: "#fff", fontColor: "#fff", barGraphColor: "#fff", buttonColor: "#fff", buttonTextColor: "#fff" },
  { backgroundColor: "#000", widgetBackgroundColor: "#000", fontColor: "#000", barGraphColor: "#000", buttonColor: "#000", buttonTextColor: "#000" },
  { buttonColor: "#999999", buttonTextColor: "#FFFFFF" },
  { backgroundColor: "#101418", widgetBackgroundColor: "#1b2025", fontColor: "#dddddd" },
  { titleFontSize: "999px", paragraphFontSize: "999px", linkFontSize: "999px", buttonTextFontSize: "999px" },
  { titleFontType: "O'Neil, sans-serif", paragraphFontType: "O'Neil" },
  ...["#777777", "#767676", "#cc0000", "#00aa00", "#0000ff", "#ffff00", "#ff00ff", "#00ffff", "#808080", "#ff8800", "#884400", "#004488", "#eeeeee"].map((colour) => ({
    backgroundColor: colour, widgetBackgroundColor: "#888888", fontColor: colour, barGraphColor: "#888888", buttonColor: colour, buttonTextColor: colour,
  })),
];
const DEFAULTS = {
  backgroundColor: "#FFFFFF", widgetBackgroundColor: "#FFFFFF", fontColor: "#000000", barGraphColor: "#111111", buttonColor: "#999999", buttonTextColor: "#FFFFFF",
  titleFontSize: "28px", paragraphFontSize: "15px", linkFontSize: "15px", buttonTextFontSize: "15px", titleFontType: "Mark Offc For MC", paragraphFontType: "Mark Offc For MC",
};

await runner.case("10 twenty themes can be read", async () => {
  assert.equal(THEMES.length, 20);
  const { demo } = loadSandbox(description).issuers;
  const setTheme = async (preferredTheme) => {
    const answer = await call(demo, "PUT", "/issuers", JSON.stringify({ preferredTheme }));
    assert.equal(answer.status, 200, answer.text);
  };
  const before = JSON.parse((await call(demo, "GET", "/issuers")).text).preferredTheme;
  for (const theme of THEMES) {
    await setTheme({ ...DEFAULTS, ...theme });
    const { context, page } = await window();
    await page.goto(address("demo", user, "en-US"));
    for (const [over, property, under, least] of [...PAIRS, ["button", "color", "button", 4.5]]) {
      const ratio = await page.evaluate(
        ([over, property, under]) => {
          const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
          const light = (text) => {
            const [r, g, b] = text.match(/[\d.]+/g).map((part) => channel(part / 255));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const element = document.querySelector(over);
          if (!element) return 21;
          const ground = getComputedStyle(document.querySelector(under)).backgroundColor;
          const [one, two] = [light(getComputedStyle(element)[property]), light(ground)].map((value) => value + 0.05);
          return Math.max(one, two) / Math.min(one, two);
        },
        [over, property, under],
      );
      assert.ok(ratio >= least - 0.01, `${JSON.stringify(theme)}: ${over} on ${under} has ${ratio}`);
    }
    await context.close();
  }
  await setTheme(before);
});

await runner.case("11 at 320 px with text of 200 % and the longest words, nothing is cut", async () => {
  const { context, page } = await window({ viewport: { width: 320, height: 640 } });
  await page.goto(address("demo", user, "en-XA"));
  for (const screen of SCREENS) {
    await page.goto(root(page) + screen);
    await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 320, `${screen}: ${width}`);
  }
  await context.close();
});

await runner.case("12 by keyboard alone, from the skip link to the last link, in the order of the page", async () => {
  const { context, page } = await window();
  await page.goto(address("demo", user, "en-US"));
  const places = [];
  for (let step = 0; step < 200; step++) {
    await page.keyboard.press("Tab");
    const focus = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      const box = element.getBoundingClientRect();
      return {
        text: element.textContent.trim(),
        top: box.top + scrollY,
        ring: getComputedStyle(element).outlineStyle,
        place: [...document.querySelectorAll("a,button,select,summary")].indexOf(element),
      };
    });
    if (!focus) break;
    assert.notEqual(focus.ring, "none", focus.text);
    places.push(focus);
  }
  assert.equal(places[0].text, "Skip to content");
  assert.equal(places.at(-1).text, "Keep open");
  const order = places.map(({ place }) => place);
  assert.deepEqual(order, [...order].sort((a, b) => a - b));
  await context.close();
});

await runner.case("14 the page's total is that of the API", async () => {
  const { carbonEmissionInGrams } = JSON.parse(client("demo", "score", user));
  const { context, page } = await window();
  await page.goto(address("demo", user, "en-US"));
  const exact = await page.locator(".total dl dd").first().evaluate((element) => element.textContent);
  assert.ok(Math.abs(Number(exact.replaceAll(",", "").split(" ")[0]) - Number(carbonEmissionInGrams)) < 0.011, `${exact} ${carbonEmissionInGrams}`);
  await context.close();
});

await runner.case("17 the introduction comes once, and again under its own address", async () => {
  const fresh = cardholder("demo");
  const first = await window();
  await first.page.goto(address("demo", fresh, "en-US"));
  await first.page.getByRole("button", { name: "Got it" }).click();
  const second = await window();
  await second.page.goto(address("demo", fresh, "en-US"));
  assert.equal(await second.page.getByRole("button", { name: "Got it" }).count(), 0);
  await second.page.getByRole("link", { name: "Show the introduction again" }).click();
  assert.equal(await second.page.getByRole("button", { name: "Got it" }).count(), 1);
  await first.context.close();
  await second.context.close();
});

await runner.case("18 back, forward and reload after a form ask for nothing to be sent again", async () => {
  const fresh = cardholder("demo");
  const { context, page } = await window();
  await page.goto(address("demo", fresh, "en-US"));
  await page.getByRole("button", { name: "Got it" }).click();
  await page.getByRole("link", { name: "How it works" }).click();
  await page.goBack();
  assert.match(await page.title(), /Footprint/);
  await page.goForward();
  await page.goBack();
  const reloaded = await page.reload();
  assert.equal(reloaded.status(), 200);
  await context.close();
});

await runner.case("19 the overview is light, and nothing moves while it loads", async () => {
  const { context, page, seen } = await window();
  await page.addInitScript(() => {
    self.shift = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => (self.shift += entry.value))).observe({ type: "layout-shift", buffered: true });
  });
  const answer = await page.goto(address("demo", user, "en-US"));
  await page.waitForLoadState("networkidle");
  const html = (await answer.body()).length;
  assert.ok(html <= 60_000, `${html}`);
  assert.equal(await page.evaluate(() => self.shift), 0);
  const pages = seen.requests.filter((url) => !url.endsWith("favicon.ico"));
  assert.equal(pages.length, 3, pages.join("\n")); // the 303, the page, its script
  await context.close();
});

await runner.case("20 a page elsewhere cannot frame the view", async () => {
  const { context, page, seen } = await window();
  const url = address("demo", user, "en-US");
  await page.goto(`${origin}/docs`);
  await page.setContent(`<iframe src="${url}"></iframe>`);
  await page.frameLocator("iframe").locator("body").waitFor({ state: "attached" });
  const inside = await page.frames()[1].evaluate(() => document.querySelector("main") !== null).catch(() => false);
  assert.equal(inside, false);
  assert.match(seen.complaints.join("\n"), /frame-ancestors|Framing|blocked/i);
  await context.close();
});

await runner.case("print has the tables, not the drawings", async () => {
  const { context, page } = await window();
  await page.goto(address("demo", user, "en-US"));
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator(".chart").first().isVisible(), false);
  assert.equal(await page.locator("details.table table").first().isVisible(), true);
  assert.equal(await page.locator("button:visible").count(), 0);
  await context.close();
});

await browser.close();
runner.finish();
