// Screens and states of the web view that no running gateway is brought into easily, out of the files that
// `DASHBOARD_PREVIEW=folder cargo test --lib preview` writes: node states.mjs <folder>, started by ../run.sh.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Runner } from "../node/lib/runner.mjs";
import { LANGUAGES, launch, open, violations } from "./dashboard/pages.mjs";

/** State: what the page must say in English, and whether it has a total. */
const STATES = {
  first: ["What this shows", true],
  waiting: ["Check again", false],
  empty: ["No payments yet", false],
  running: ["120 of 480 payments are done.", true],
  failed: ["The footprint could not be calculated.", false],
  "none-this-month": ["No payments in November 2026.", false],
  unscored: ["Nothing is counted this month", true],
  negative: ["Refunds outweigh purchases this month.", true],
  "new-method": ["The method has changed", true],
  project: ["Support a project", true],
  world: ["World average", true],
  uncounted: ["This payment is not counted", false],
  closed: ["This view has closed", false],
  "no-cookie": ["does not keep cookies", false],
  missing: ["Page not found", false],
  busy: ["Try again in 5 seconds.", false],
  fault: ["5f1c2a", false],
};

const folder = resolve(process.argv[2]);
const pictures = process.env.SCREENSHOTS ?? join(process.env.INTEROP_NODE_DIR, "..", "screenshots");
mkdirSync(pictures, { recursive: true });
const files = readdirSync(folder).filter((name) => name.endsWith(".html"));
const address = (name) => pathToFileURL(join(folder, name)).href;
const runner = new Runner("states");
const browser = await launch();

await runner.case("16 each state says what it is, and has no figure where none exists", async () => {
  const { context, page } = await open(browser);
  for (const [state, [text, figure]] of Object.entries(STATES)) {
    await page.goto(address(`plain-en-US-${state}.html`));
    assert.ok((await page.locator("body").innerText()).includes(text), state);
    assert.equal((await page.locator(".total .figure").count()) > 0, figure, state);
    if (!figure) assert.equal(await page.locator(".total dl").count(), 0, state);
  }
  await context.close();
});

for (const lang of LANGUAGES) {
  await runner.case(`9 axe finds nothing in any state, and each is pictured: ${lang}`, async () => {
    for (const theme of ["plain", "hostile"]) {
      for (const colorScheme of ["light", "dark"]) {
        const { context, page } = await open(browser, { colorScheme });
        const wanted = files.filter((name) => name.startsWith(`${theme}-${lang}-`));
        assert.ok(wanted.length >= Object.keys(STATES).length, `${wanted.length} files`);
        for (const name of wanted) {
          await page.goto(address(name));
          assert.deepEqual(await violations(page), [], `${name} ${colorScheme}`);
          const picture = `state-${name.replace(".html", "")}-${colorScheme}.png`;
          await page.screenshot({ path: join(pictures, picture), fullPage: true });
        }
        await context.close();
      }
    }
  });
}

await browser.close();
runner.finish();
