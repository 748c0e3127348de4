// What the pages look like: policy, accessibility, themes, narrow screens, print, weight.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { call } from "../../node/lib/gateway.mjs";
import { loadSandbox } from "../../node/lib/sandbox.mjs";
import { LANGUAGES, SCREENS, contrasts, onePayment, open, root, violations } from "./pages.mjs";

/** Bytes: the overview raw and compressed, its script, all together. */
const HTML = 60_000;
const PACKED = 14_000;
const SCRIPT = 3_000;
const TOGETHER = 100_000;

/** Every pair that a theme could make illegible: what, its property, the ground, the least contrast. */
const PAIRS = [
  [".fixed", "color", "body", 4.5],
  [".brand", "color", "body", 4.5],
  [".brand span", "color", "body", 4.5],
  ["footer a", "color", "body", 4.5],
  [".card p", "color", ".card", 4.5],
  [".card a", "color", ".card", 4.5],
  [".card .muted", "color", ".card", 4.5],
  [".card small", "color", ".card", 4.5],
  [".bar.own .fill", "fill", ".card", 3],
  [".bar.other .fill", "fill", ".card", 3],
  [".column", "fill", ".card", 3],
  [".mark", "stroke", ".card", 3],
  [".zero", "stroke", ".card", 3],
  [".what-if button", "color", ".what-if button", 4.5],
  [".what-if button", "borderTopColor", ".card", 3],
];

const PUBLISHED = {
  backgroundColor: "#FFFFFF", widgetBackgroundColor: "#FFFFFF", fontColor: "#000000", barGraphColor: "#111111", buttonColor: "#999999", buttonTextColor: "#FFFFFF",
  titleFontSize: "28px", subTitleFontSize: "20px", paragraphFontSize: "15px", linkFontSize: "15px", buttonTextFontSize: "15px",
  titleFontType: "Mark Offc For MC", paragraphFontType: "Mark Offc For MC",
};
const one = (colour) => ({ backgroundColor: colour, widgetBackgroundColor: colour, fontColor: colour, barGraphColor: colour, buttonColor: colour, buttonTextColor: colour });
const HOSTILE = { backgroundColor: "#FFFF00", widgetBackgroundColor: "#FF00FF", fontColor: "#FF8800", barGraphColor: "#FF00EE", titleFontSize: "999px", paragraphFontType: "O'Neil, serif" };
const THEMES = [
  {},
  one("#ffffff"),
  one("#000000"),
  { buttonColor: "#999999", buttonTextColor: "#FFFFFF" },
  { backgroundColor: "#101418", widgetBackgroundColor: "#1b2025", fontColor: "#dddddd" },
  { titleFontSize: "999px", subTitleFontSize: "999px", paragraphFontSize: "999px", linkFontSize: "999px", buttonTextFontSize: "999px" },
  { titleFontType: "O'Neil, sans-serif", paragraphFontType: "O'Neil" },
  HOSTILE,
  ...["#777777", "#767676", "#cc0000", "#00aa00", "#0000ff", "#ffff00", "#ff00ff", "#00ffff", "#808080", "#ff8800", "#884400", "#004488"].map((colour) => ({
    ...one(colour), widgetBackgroundColor: "#888888", barGraphColor: "#888888",
  })),
];

export async function cases(runner, { browser, cluster, pictures, user }) {
  const themed = loadSandbox(cluster.description).issuers.demo;
  const setTheme = async (preferredTheme) => {
    const answer = await call(themed, "PUT", "/issuers", JSON.stringify({ preferredTheme }));
    assert.equal(answer.status, 200, answer.text);
  };
  const ownTheme = JSON.parse((await call(themed, "GET", "/issuers")).text).preferredTheme;
  const others = { demo: user, compat: cluster.cardholder("compat"), basic: cluster.cardholder("basic") };

  await runner.case("8 no violation of the policy, no other origin, no style attribute", async () => {
    for (const issuer of ["demo", "compat"]) {
      const { context, page, seen } = await open(browser);
      await page.goto(cluster.address(issuer, others[issuer], "en-US"));
      for (const screen of [...SCREENS, await onePayment(page), "nothing"]) {
        const answer = await page.goto(root(page) + screen);
        assert.ok(!/\sstyle=/.test(await answer.text()), screen);
        assert.deepEqual(await page.evaluate(() => self.violations), [], screen);
      }
      const complaints = seen.complaints.filter((text) => !text.includes("404"));
      assert.deepEqual(complaints, []);
      assert.deepEqual(seen.requests.filter((url) => !url.startsWith(`${cluster.origin}/`)), []);
      await context.close();
    }
  });

  for (const lang of LANGUAGES) {
    await runner.case(`9 axe finds nothing, and every screen is pictured: ${lang}`, async () => {
      for (const [issuer, who] of Object.entries(others)) {
        for (const colorScheme of ["light", "dark"]) {
          const { context, page } = await open(browser, { colorScheme });
          await page.goto(cluster.address(issuer, who, lang));
          const names = { "": "overview", "category/101": "category", [await onePayment(page)]: "payment" };
          for (const screen of [...SCREENS, await onePayment(page)]) {
            await page.goto(root(page) + screen);
            assert.deepEqual(await violations(page), [], `${issuer} ${colorScheme} ${screen}`);
            const name = `${issuer}-${lang}-${colorScheme}-${names[screen] ?? screen}.png`;
            await page.screenshot({ path: join(pictures, name), fullPage: true });
          }
          await context.close();
        }
      }
    });
  }

  await runner.case("9 axe finds nothing in a theme that nobody could read", async () => {
    await setTheme({ ...PUBLISHED, ...HOSTILE });
    for (const colorScheme of ["light", "dark"]) {
      const { context, page } = await open(browser, { colorScheme });
      await page.goto(cluster.address("demo", user, "en-US"));
      for (const screen of [...SCREENS, await onePayment(page)]) {
        await page.goto(root(page) + screen);
        assert.deepEqual(await violations(page), [], `${colorScheme} ${screen}`);
        await page.screenshot({ path: join(pictures, `hostile-${colorScheme}-${screen.split("/")[0] || "overview"}.png`), fullPage: true });
      }
      await context.close();
    }
    await setTheme(ownTheme);
  });

  await runner.case("10 twenty themes can be read, by day and by night", async () => {
    assert.equal(THEMES.length, 20);
    for (const theme of THEMES) {
      await setTheme({ ...PUBLISHED, ...theme });
      for (const colorScheme of ["light", "dark"]) {
        const { context, page } = await open(browser, { colorScheme });
        await page.goto(cluster.address("demo", user, "en-US"));
        const ratios = await contrasts(page, PAIRS);
        for (const [index, [over, property, under, least]] of PAIRS.entries()) {
          const ratio = ratios[index];
          assert.ok(ratio !== null, `${over} or ${under} is not on the page`);
          assert.ok(ratio >= least - 0.01, `${colorScheme} ${JSON.stringify(theme)}: ${property} of ${over} on ${under} has ${ratio}`);
        }
        const [title, body] = await page.evaluate(() => [".figure", "body"].map((of) => getComputedStyle(document.querySelector(of))).map(({ fontSize }) => parseFloat(fontSize)));
        assert.ok(title <= 40 && body <= 22 && body >= 14, `${title} ${body}`);
        await context.close();
      }
    }
    await setTheme(ownTheme);
  });

  await runner.case("11 at 320 px with text of 200 % and the longest words, nothing is cut", async () => {
    const { context, page } = await open(browser, { viewport: { width: 320, height: 640 } });
    await page.goto(cluster.address("demo", user, "en-XA"));
    for (const screen of [...SCREENS, await onePayment(page)]) {
      await page.goto(root(page) + screen);
      await page.evaluate(() => {
        document.documentElement.style.setProperty("font-size", "200%");
        for (const details of document.querySelectorAll("details")) details.open = true;
      });
      const { width, cut } = await page.evaluate(() => {
        const shown = [...document.body.querySelectorAll("*")].filter((element) => !element.closest(".unseen, .skip, .trust i, svg"));
        const outside = (box) => box.width > 0 && (box.left < -0.5 || box.right > 320.5);
        const clipped = (element) => getComputedStyle(element).overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1;
        const cut = shown.filter((element) => outside(element.getBoundingClientRect()) || clipped(element));
        return { width: document.documentElement.scrollWidth, cut: cut.map((element) => element.outerHTML.slice(0, 120)) };
      });
      assert.ok(width <= 320, `${screen}: ${width}`);
      assert.deepEqual(cut, [], screen);
      await page.screenshot({ path: join(pictures, `narrow-${screen.split("/")[0] || "overview"}.png`), fullPage: true });
    }
    await context.close();
  });

  await runner.case("11 lines and words may be set wider apart without loss", async () => {
    const { context, page } = await open(browser);
    await page.goto(cluster.address("demo", user, "pl-PL"));
    // WCAG 1.4.12; a sheet that the browser adds, as a reader's own tool does.
    await page.evaluate(() => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync("*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}p{margin-bottom:2em!important}");
      document.adoptedStyleSheets = [sheet];
    });
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    await context.close();
  });

  await runner.case("print has the tables, not the drawings", async () => {
    const { context, page } = await open(browser);
    await page.goto(cluster.address("demo", user, "en-US"));
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator(".chart").first().isVisible(), false);
    assert.equal(await page.locator("details.table table").first().isVisible(), true);
    assert.equal(await page.locator("button:visible").count(), 0);
    writeFileSync(join(pictures, "print.pdf"), await page.pdf());
    await context.close();
  });

  await runner.case("forced colours keep shapes and edges", async () => {
    const { context, page } = await open(browser, { forcedColors: "active" });
    await page.goto(cluster.address("demo", user, "en-US"));
    const edges = await page.evaluate(() => [".bar", ".card", "button"].map((of) => getComputedStyle(document.querySelector(of)).borderTopWidth));
    assert.ok(edges.every((width) => parseFloat(width) >= 1), edges.join(" "));
    await page.screenshot({ path: join(pictures, "forced-colours.png"), fullPage: true });
    await context.close();
  });

  await runner.case("targets are 44 px high", async () => {
    const { context, page } = await open(browser);
    await page.goto(cluster.address("demo", user, "en-US"));
    for (const screen of [...SCREENS, await onePayment(page)]) {
      await page.goto(root(page) + screen);
      const small = await page.evaluate(() => {
        const targets = [...document.querySelectorAll("a:not(.skip),button,select,summary")].filter((element) => element.checkVisibility());
        return targets.filter((element) => element.getBoundingClientRect().height < 43.5).map((element) => element.outerHTML.slice(0, 120));
      });
      assert.deepEqual(small, [], screen);
    }
    await context.close();
  });

  await runner.case("19 the overview is light, and nothing moves while it loads", async () => {
    const { context, page, seen } = await open(browser);
    await page.addInitScript(() => {
      self.shift = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((entry) => (self.shift += entry.value))).observe({ type: "layout-shift", buffered: true });
    });
    const line = await context.newCDPSession(page);
    await line.send("Network.enable");
    await line.send("Network.emulateNetworkConditions", { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 200_000 });
    await line.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    const packed = {};
    line.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => (packed[requestId] = encodedDataLength));
    const answers = [];
    page.on("response", (answer) => answers.push(answer));
    const answer = await page.goto(cluster.address("demo", user, "en-US"));
    await page.waitForLoadState("networkidle");
    assert.equal(answer.headers()["content-encoding"], "gzip");
    const html = (await answer.body()).length;
    const script = (await (await answers.find((answer) => answer.url().endsWith(".js"))).body()).length;
    const onLine = Math.max(...Object.values(packed));
    assert.ok(html <= HTML && onLine <= PACKED && script <= SCRIPT && html + script <= TOGETHER, `${html} ${onLine} ${script}`);
    assert.equal(await page.evaluate(() => self.shift), 0);
    const pages = seen.requests.filter((url) => !url.endsWith("favicon.ico"));
    assert.equal(pages.length, 3, pages.join("\n")); // the 303, the page, its script
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
    console.log(`      ${html} bytes, ${onLine} on the line; first paint after ${Math.round(paint)} ms at 4x CPU, 150 ms, 1.6 Mbit/s`);
    await context.close();
  });

  await runner.case("19 a page in a frame has its token in it, and is not compressed", async () => {
    const { context, page } = await open(browser);
    const answer = await page.goto(cluster.address("compat", others.compat, "en-US"));
    assert.equal(answer.headers()["content-encoding"], undefined);
    await context.close();
  });

  await runner.case("without the donation toggle no word of a donation", async () => {
    const words = /donat|donaci|gåva|darowizn|derma|project|projekt|proyecto|projek\b/i;
    const { context, page } = await open(browser);
    for (const lang of LANGUAGES) {
      await page.goto(cluster.address("basic", others.basic, lang));
      const text = await page.locator("body").innerText();
      // The source of a benchmark is a project by name.
      assert.doesNotMatch(text.replaceAll("Global Carbon Project", ""), words, lang);
    }
    await context.close();
  });
}
