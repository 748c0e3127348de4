// The page at /docs in a real browser: `node main.mjs <sandbox.json>`, started by ../run.sh.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Runner } from "../node/lib/runner.mjs";

const require = createRequire(join(process.env.INTEROP_NODE_DIR, "package.json"));
const { chromium } = require("playwright-core");

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
const METHODS = ["get", "put", "post", "delete", "patch"];

const { base_url } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const runner = new Runner("browser");
const browser = await chromium.launch({ executablePath: process.env.INTEROP_CHROMIUM, args: FLAGS });

/** The page, loaded; what it requested and what it complained about. */
async function open() {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const requests = [];
  const complaints = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  const answer = await page.goto(`${base_url}/docs`);
  await page.locator(".opblock").first().waitFor();
  return { page, answer, requests, complaints };
}

/** Every operation of the document. */
async function operations() {
  const { paths } = await (await fetch(`${base_url}/openapi.json`)).json();
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, ...item[method] })),
  );
}

await runner.case("the page asks no other origin for anything", async () => {
  const { page, answer, requests } = await open();
  assert.equal(answer.status(), 200);
  assert.ok(requests.length >= 5, requests.join("\n"));
  const elsewhere = requests.filter((url) => !url.startsWith(`${base_url}/`) && !url.startsWith("data:"));
  assert.deepEqual(elsewhere, []);
  await page.close();
});

await runner.case("the page's policy forbids scripts and requests of other origins", async () => {
  const { page, complaints } = await open();
  const blocked = await page.evaluate(() =>
    fetch("https://example.com/").then(
      () => false,
      () => true,
    ),
  );
  assert.ok(blocked);
  assert.match(complaints.join("\n"), /Content Security Policy/);
  await page.close();
});

await runner.case("every operation can be opened and shows its answers, without a complaint of the browser", async () => {
  const { page, complaints } = await open();
  const wanted = await operations();
  assert.ok(wanted.length > 0);
  assert.equal(await page.locator(".opblock").count(), wanted.length);
  for (const { path, method, operationId, summary, responses } of wanted) {
    const block = page.locator(`.opblock[id$="-${operationId}"]`);
    const heading = (await block.locator(".opblock-summary").innerText()).replaceAll("\u200b", "");
    for (const text of [method.toUpperCase(), path, summary]) assert.ok(heading.includes(text), `${heading} names ${text}`);
    await block.locator(".opblock-summary-control").click();
    const shown = block.locator(".responses-table > tbody > .response > .response-col_status");
    await shown.first().waitFor();
    assert.deepEqual((await shown.allInnerTexts()).map((text) => text.trim()).sort(), Object.keys(responses).sort(), operationId);
    await block.locator(".opblock-summary-control").click();
  }
  assert.deepEqual(complaints, []);
  await page.close();
});

await runner.case("schemas can be read, and nothing can be sent", async () => {
  const { page, complaints } = await open();
  const models = await page.locator(".models").innerText();
  for (const name of ["UserProfile", "UserReference", "EncryptedRequest", "Errors"]) assert.ok(models.includes(name), name);
  for (const button of [".try-out", ".execute", ".authorize"]) assert.equal(await page.locator(button).filter({ visible: true }).count(), 0, button);
  assert.deepEqual(complaints, []);
  await page.close();
});

await browser.close();
runner.finish();
