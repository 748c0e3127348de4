// Whether the figures on the pages are those of the API, and can be worked out again.
import assert from "node:assert/strict";
import { json, open, root } from "./pages.mjs";

/** Tags, and the one of a locale in this Node that writes numbers alike. */
const TAGS = { "en-US": "en-US", "es-419": "es-419", "es-CL": "es-CL", "es-CR": "es-CR", sv: "sv", "pl-PL": "pl", "ms-MY": "ms" };

const near = (one, two, by, what) => assert.ok(Math.abs(one - two) <= by, `${what}: ${one} ${two}`);
const sum = (items) => items.reduce((all, item) => all + item.carbonEmissionInGrams, 0);
const exact = (page) => page.locator(".total dl dd").first().evaluate((element) => element.textContent);

export async function cases(runner, { browser, cluster, user }) {
  await runner.case("13 numbers and months in seven tags are those of CLDR", async () => {
    const { context, page } = await open(browser);
    await page.goto(cluster.address("demo", user, "en-US"));
    const { carbonEmissionInGrams: grams, month } = await json(page, "api/summary");
    const blanks = (text) => text.replaceAll(/[\u00a0\u202f]/g, " ");
    for (const [tag, locale] of Object.entries(TAGS)) {
      await page.goto(`${root(page)}?lang=${tag}`);
      assert.equal(await page.locator("html").getAttribute("lang"), tag);
      const number = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(grams);
      assert.ok(blanks(await exact(page)).startsWith(blanks(`${number} `)), `${tag}: ${await exact(page)}, not ${number}`);
      const name = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(`${month}-01T00:00:00Z`));
      // At the beginning of a line the style sheet gives it a capital.
      assert.equal((await page.locator("#total-h").innerText()).toLowerCase(), name.toLowerCase(), tag);
    }
    await context.close();
  });

  await runner.case("14 total, twelve months and categories are those of the API", async () => {
    const { carbonEmissionInGrams: score } = JSON.parse(cluster.client("demo", ["score", user]));
    const { context, page } = await open(browser);
    await page.goto(cluster.address("demo", user, "en-US"));
    const shown = Number((await exact(page)).replaceAll(",", "").split(" ")[0]);
    const summary = await json(page, "api/summary");
    near(shown, Number(score), 0.006, "page and operation 6");
    near(summary.carbonEmissionInGrams, Number(score), 0.006, "JSON and operation 6");
    const { items: months } = await json(page, "api/aggregates?aggregateType=2&count=13");
    const rows = await page.locator("details.table tbody tr").count();
    assert.equal(rows, 13);
    for (const { period, carbonEmissionInGrams } of months) {
      near((await json(page, `api/summary?month=${period}`)).carbonEmissionInGrams, carbonEmissionInGrams, 0.001, period);
      near(sum((await json(page, `api/categories?month=${period}`)).items), carbonEmissionInGrams, 0.01, `categories of ${period}`);
    }
    const { lastScoredAt } = await json(page, "api/status");
    assert.ok(Math.abs(Date.parse(lastScoredAt) - Date.now()) < 24 * 3_600_000, lastScoredAt);
    await context.close();
  });

  await runner.case("15 a payment's sum can be worked out again from what is printed", async () => {
    const { context, page } = await open(browser);
    await page.goto(cluster.address("demo", user, "en-US"));
    const { items } = await json(page, "api/transactions?limit=25");
    let done = 0;
    for (const { transactionMetadata, transactionFootprint } of items) {
      if (!transactionFootprint.scored) continue;
      await page.goto(`${root(page)}transactions/${encodeURIComponent(transactionMetadata.id)}`);
      if ((await page.locator(".sum").count()) === 0) continue;
      const text = (await page.locator(".sum").innerText()).replaceAll(",", "");
      const [terms, total] = [text.slice(0, text.lastIndexOf(" = ")), parseFloat(text.slice(text.lastIndexOf(" = ") + 3))];
      const grams = terms.split(" + ").reduce((all, term) => {
        const [left, right] = term.split(" = ").at(-1).split(" × ");
        return all + parseFloat(left) * parseFloat(right) * 1_000;
      }, 0);
      near(grams, total, Math.abs(total) * 1e-4 + 0.05, text);
      near(total, transactionFootprint.carbonEmissionInGrams, 0.006, text);
      done += 1;
    }
    assert.ok(done >= 5, `${done}`);
    await context.close();
  });
}
