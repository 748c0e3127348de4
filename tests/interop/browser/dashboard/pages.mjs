// What the cases share: windows of the browser, axe, contrasts as they are rendered.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

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
  // A case plays a site of the internet that frames a page of loopback.
  "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessRespectPreflightResults",
  "--test-third-party-cookie-phaseout",
];

export const LANGUAGES = ["en-US", "es-419", "sv", "pl-PL", "ms-MY"];
export const SCREENS = ["", "transactions", "method", "intro", "category/101"];
export const PHONE = { width: 360, height: 740 };
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

export const launch = () => chromium.launch({ executablePath: process.env.INTEROP_CHROMIUM, args: FLAGS });

/** A window of its own, with what the browser complained about and asked for. */
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: PHONE, ignoreHTTPSErrors: true, ...options });
  const seen = { complaints: [], requests: [] };
  await context.addInitScript(() => {
    self.violations = [];
    addEventListener("securitypolicyviolation", (event) => self.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  const page = await context.newPage();
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.complaints.push(message.text()));
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  page.on("request", (request) => seen.requests.push(request.url()));
  return { context, page, seen };
}

/** The root of the view that a page shows. */
export const root = (page) => page.url().match(/^.*\/home\/[vf]\/[^/]+\//)[0];

/** The address of a payment behind the root. */
export async function onePayment(page) {
  const href = await page.locator(".payments a").first().getAttribute("href");
  return href.slice(href.indexOf("transactions/"));
}

/** What axe finds against WCAG 2.2 AA. */
export async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate((tags) => axe.run(document, { runOnly: tags }), TAGS);
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`.slice(0, 400));
}

/** The figures behind the page, by the same cookie. */
export const json = (page, path) => page.evaluate(async (url) => (await fetch(url)).json(), root(page) + path);

/** The contrast of each [selector, property, ground, property of the ground] that the page has, as it is rendered. */
export function contrasts(page, pairs) {
  return page.evaluate((pairs) => {
    const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const light = (text) => {
      const [r, g, b] = text.match(/[\d.]+/g).map((part) => channel(part / 255));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const colour = (selector, property) => {
      const element = document.querySelector(selector);
      return element && light(getComputedStyle(element)[property]);
    };
    return pairs.map(([over, property, under]) => {
      const [one, two] = [colour(over, property), colour(under, "backgroundColor")];
      if (one === null || two === null) return null;
      return (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    });
  }, pairs);
}
