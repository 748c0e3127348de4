// The pictures of docs/dashboard.md, out of the files that `DASHBOARD_PREVIEW=folder cargo test --lib preview` writes:
//   INTEROP_NODE_DIR=target/interop/node node tests/interop/browser/pictures.mjs target/interop/preview docs/images
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { launch, open } from "./dashboard/pages.mjs";

const PHONE = { width: 360, height: 1180 };
const PICTURES = {
  overview: ["bank-sv-overview", PHONE, "light"],
  first: ["plain-en-US-first", PHONE, "light"],
  payment: ["bank-pl-PL-fuel", PHONE, "light"],
  desktop: ["bank-en-US-october", { width: 1200, height: 1100 }, "light"],
  dark: ["bank-en-US-overview", PHONE, "dark"],
  hostile: ["hostile-en-US-overview", PHONE, "light"],
};

const [from, to] = process.argv.slice(2).map((folder) => resolve(folder));
const browser = await launch();
for (const [name, [file, viewport, colorScheme]] of Object.entries(PICTURES)) {
  const { context, page } = await open(browser, { viewport, colorScheme });
  await page.goto(pathToFileURL(join(from, `${file}.html`)).href);
  const devtools = await context.newCDPSession(page);
  const { data } = await devtools.send("Page.captureScreenshot", { format: "webp", quality: 90 });
  writeFileSync(join(to, `dashboard-${name}.webp`), Buffer.from(data, "base64"));
  await context.close();
}
await browser.close();
