// The cardholder's web view in a real browser, against three nodes behind a balancer:
//   node dashboard.mjs <sqlite|postgres> <issuer-gateway> <folder>       started by ../run.sh
// The numbers are those of the acceptance list. SCREENSHOTS=folder says where pictures of every screen go
// (target/interop/screenshots by default); postgres takes ISSUER_GATEWAY_TEST_POSTGRES_URL of scripts/with-postgres.sh.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Runner } from "../node/lib/runner.mjs";
import { Cluster } from "./dashboard/cluster.mjs";
import * as figures from "./dashboard/figures.mjs";
import * as looks from "./dashboard/looks.mjs";
import { launch } from "./dashboard/pages.mjs";
import * as secrets from "./dashboard/secrets.mjs";
import * as use from "./dashboard/use.mjs";
import * as views from "./dashboard/views.mjs";

const [, , database, program, folder] = process.argv;
const pictures = process.env.SCREENSHOTS ?? join(process.env.INTEROP_NODE_DIR, "..", "screenshots");
mkdirSync(pictures, { recursive: true });

/** A database of this run's own. */
function postgres() {
  const server = new URL(process.env.ISSUER_GATEWAY_TEST_POSTGRES_URL);
  const name = `view_${process.pid}`;
  const beside = join(process.env.ISSUER_GATEWAY_TEST_PG_BIN, "psql");
  execFileSync(existsSync(beside) ? beside : "psql", [server.href, "-c", `CREATE DATABASE ${name}`], { stdio: "ignore" });
  server.pathname = `/${name}`;
  return server.href;
}

const runner = new Runner(`dashboard on ${database}`);
const browser = await launch();
const cluster = await Cluster.start(program, folder, database === "postgres" ? postgres() : undefined);
try {
  const all = { browser, cluster, pictures, user: cluster.cardholder("demo") };
  for (const [name, { cases }] of Object.entries({ looks, use, figures, views, secrets })) await runner.file(name, () => cases(runner, all));
} finally {
  await browser.close();
  await cluster.stop();
}
runner.finish();
