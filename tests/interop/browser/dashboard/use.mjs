// How the pages are used: without script, by keyboard, back and forward, the introduction.
import assert from "node:assert/strict";
import { SCREENS, open, root } from "./pages.mjs";

export async function cases(runner, { browser, cluster, user }) {
  await runner.case("7 every screen works without script", async () => {
    const { context, page } = await open(browser, { javaScriptEnabled: false });
    await page.goto(cluster.address("demo", cluster.cardholder("demo"), "en-US"));
    await page.getByRole("button", { name: "Got it" }).click();
    await page.getByRole("button", { name: "Got it" }).waitFor({ state: "detached" });
    const before = await page.locator("#what-if-h ~ .lead").innerText();
    await page.locator("#cut").selectOption("50");
    await page.locator(".what-if button").click();
    await page.waitForURL(/cut=50/);
    assert.notEqual(await page.locator("#what-if-h ~ .lead").innerText(), before);
    await page.locator(".payments a").first().click();
    await page.getByRole("heading", { level: 1, name: /How was this estimated/ }).waitFor();
    for (const screen of SCREENS) assert.equal((await page.goto(root(page) + screen)).status(), 200, screen);
    await context.close();
  });

  await runner.case("12 by keyboard alone, from the skip link to the last link, in the order of the page", async () => {
    const { context, page } = await open(browser);
    await page.goto(cluster.address("demo", user, "en-US"));
    const places = [];
    for (let step = 0; step < 200; step++) {
      await page.keyboard.press("Tab");
      const focus = await page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return null;
        const box = element.getBoundingClientRect();
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        return {
          text: element.textContent.trim(),
          top: box.top + scrollY,
          ring: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
          visible: box.top >= -2 && box.bottom <= innerHeight + 2 && element.checkVisibility(),
          place: [...document.querySelectorAll("a,button,select,summary")].indexOf(element),
        };
      });
      if (!focus) break;
      assert.ok(focus.ring && focus.visible, focus.text);
      places.push(focus);
    }
    assert.equal(places[0].text, "Skip to content");
    assert.equal(places.at(-1).text, "Keep open");
    const order = places.map(({ place }) => place);
    assert.deepEqual(order, [...order].sort((a, b) => a - b));
    const tops = places.slice(1).map(({ top }) => top);
    assert.ok(tops.every((top, index) => index === 0 || top >= tops[index - 1] - 50), "downwards");
    const headings = await page.locator("main h2").allInnerTexts();
    const known = ["What this shows", "Compared with yourself", "A month on average", "12 months", "By category", "What if", "Payments", "About this service"];
    assert.deepEqual(headings.filter((text) => known.includes(text)), known);
    await page.locator("body").press("Home");
    await page.goto(page.url());
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "content");
    await context.close();
  });

  await runner.case("17 the introduction comes once, and again under its own address", async () => {
    const fresh = cluster.cardholder("demo");
    const first = await open(browser);
    await first.page.goto(cluster.address("demo", fresh, "en-US"));
    await first.page.getByRole("button", { name: "Got it" }).click();
    const second = await open(browser);
    await second.page.goto(cluster.address("demo", fresh, "en-US"));
    assert.equal(await second.page.getByRole("button", { name: "Got it" }).count(), 0);
    await second.page.getByRole("link", { name: "Show the introduction again" }).click();
    await second.page.getByRole("button", { name: "Got it" }).waitFor();
    await first.context.close();
    await second.context.close();
  });

  await runner.case("18 back, forward and reload after a form ask for nothing to be sent again", async () => {
    const { context, page } = await open(browser);
    await page.goto(cluster.address("demo", cluster.cardholder("demo"), "en-US"));
    await page.getByRole("button", { name: "Got it" }).click();
    await page.getByRole("link", { name: "How it works" }).click();
    await page.goBack();
    assert.match(await page.title(), /Footprint/);
    await page.goForward();
    await page.goBack();
    const reloaded = await page.reload();
    assert.equal(reloaded.status(), 200);
    assert.equal(reloaded.request().method(), "GET");
    await context.close();
  });

  await runner.case("the view says two minutes before that it closes, and Keep open keeps it", async () => {
    const { context, page } = await open(browser);
    await page.clock.install();
    await page.goto(cluster.address("demo", user, "en-US"));
    await page.clock.runFor(12.9 * 60_000);
    assert.equal(await page.locator("#warning").innerText(), "");
    await page.clock.runFor(0.2 * 60_000);
    assert.match(await page.locator("#warning").innerText(), /2 minutes/);
    await page.getByRole("link", { name: "Keep open" }).click();
    assert.equal(await page.locator("#warning").innerText(), "");
    await context.close();
  });
}
