// Three nodes on one database behind a balancer that ends TLS, all on loopback, with a clock that a case can move.
import { execFileSync, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";

/** Of a debug build with three sets of keys to make. */
const READY_WITHIN = 120_000;
const NODES = 3;

/** What the cases need of the issuers beyond the sandbox's own declaration. */
const VIEWS = {
  demo: 'return_url = "bankapp://home"\nunits = "imperial"',
  compat: 'frame_origins = ["https://bank.example"]\nreturn_url = "https://bank.example/app"',
  basic: "single_use = true",
};

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** The library that `faketime` puts before libc. */
function fakeTime() {
  for (const folder of readdirSync("/usr/lib").filter((name) => name.endsWith("-linux-gnu"))) {
    const library = `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`;
    if (existsSync(library)) return library;
  }
  throw new Error("libfaketime is missing: apt-get install faketime");
}

export class Cluster {
  /** `database`: a URL, or nothing for SQLite. */
  static async start(program, folder, database) {
    const cluster = new Cluster(program, folder);
    await cluster.#start(database);
    return cluster;
  }

  constructor(program, folder) {
    this.program = program;
    this.folder = folder;
    this.sandbox = join(folder, "sandbox");
    this.description = join(this.sandbox, "sandbox.json");
    this.config = join(this.sandbox, "gateway.toml");
    this.log = join(folder, "nodes.log");
    this.clock = join(folder, "clock");
    this.nodes = [];
    /** Which node answered each request, and how often another one had to be asked. */
    this.served = [];
    this.retries = 0;
  }

  async #start(database) {
    mkdirSync(this.folder, { recursive: true });
    await this.releaseClock();
    this.balancer = await freePort();
    this.origin = `https://127.0.0.1:${this.balancer}`;
    this.environment = {
      ...process.env,
      ISSUER_GATEWAY__DASHBOARD__PUBLIC_URL: this.origin,
      ISSUER_GATEWAY__LOG__FILTER: "info",
      ...(database && { ISSUER_GATEWAY__DATABASE__URL: database }),
    };
    for (let index = 0; index < NODES; index++) await this.#startNode(index);
    this.#declareViews();
    this.#listen();
  }

  /** The first is a sandbox, the others serve what it has made. */
  async #startNode(index) {
    const [port, metrics] = [await freePort(), await freePort()];
    const args = index === 0 ? ["sandbox", "--dir", this.sandbox, "--port", String(port)] : ["--config", this.config, "serve"];
    const environment = {
      ...this.environment,
      ISSUER_GATEWAY__SERVER__LISTEN: `127.0.0.1:${port}`,
      ISSUER_GATEWAY__METRICS__LISTEN: `127.0.0.1:${metrics}`,
      LD_PRELOAD: fakeTime(),
      FAKETIME_TIMESTAMP_FILE: this.clock,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      NO_FAKE_STAT: "1",
      TZ: "UTC",
    };
    const child = spawn(this.program, args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    const log = createWriteStream(this.log, { flags: "a" });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    this.nodes[index] = { child, port, metrics };
    await this.#ready(this.nodes[index]);
  }

  async #ready({ child, port }) {
    const deadline = Date.now() + READY_WITHIN;
    while (Date.now() < deadline && child.exitCode === null) {
      const status = await get(`http://127.0.0.1:${port}/health/ready`).then((answer) => answer.status, () => 0);
      if (status === 200) return;
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error(`a node did not become ready:\n${readFileSync(this.log, "utf8").slice(-4_000)}`);
  }

  #declareViews() {
    const file = join(this.sandbox, "issuers.toml");
    let text = readFileSync(file, "utf8");
    for (const [issuer, settings] of Object.entries(VIEWS)) {
      const signing = new RegExp(`(name = "${issuer[0].toUpperCase()}${issuer.slice(1)} Bank"[^]*?)(\\[\\[issuer\\.signing\\]\\])`);
      text = text.replace(signing, `$1[issuer.dashboard]\n${settings}\n\n$2`);
    }
    const edited = join(this.sandbox, "views.toml");
    writeFileSync(edited, text);
    this.command("issuer", "apply", edited);
  }

  /** TLS in front, and each request to the next node; if that is gone, to the one after it. */
  #listen() {
    const [key, certificate] = [join(this.folder, "tls.key"), join(this.folder, "tls.crt")];
    const names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    const files = ["-keyout", key, "-out", certificate];
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...files, ...names], { stdio: "ignore" });
    let turn = 0;
    const forward = (request, response, body, left) => {
      const index = turn++ % NODES;
      const { port } = this.nodes[index];
      const options = { host: "127.0.0.1", port, path: request.url, method: request.method, headers: request.headers };
      const onward = http.request(options, (answer) => {
        this.served.push(index);
        response.writeHead(answer.statusCode, answer.rawHeaders);
        answer.pipe(response);
      });
      onward.on("error", () => {
        this.retries += 1;
        if (left > 0 && !response.headersSent) forward(request, response, body, left - 1);
        else response.destroy();
      });
      onward.end(body);
    };
    this.server = https.createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, async (request, response) => {
      const parts = [];
      for await (const part of request) parts.push(part);
      forward(request, response, Buffer.concat(parts), NODES - 1);
    });
    this.server.listen(this.balancer, "127.0.0.1");
  }

  /** Stops the nodes' clock at a time, in seconds since 1970 UTC. */
  stopClock(seconds) {
    writeFileSync(this.clock, new Date(seconds * 1_000).toISOString().slice(0, 19).replace("T", " "));
  }

  /** Lets the nodes have the machine's clock; on PostgreSQL they serve again when they see that it is the database's. */
  async releaseClock() {
    writeFileSync(this.clock, "+0");
    for (const node of this.nodes) await this.#ready(node);
  }

  /** Ends a node as a power cut does. */
  async kill(index) {
    const { child } = this.nodes[index];
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGKILL");
    await ended;
  }

  async restart(index) {
    await this.#startNode(index);
  }

  command(...args) {
    return execFileSync(this.program, ["--config", this.config, ...args], { encoding: "utf8", env: this.environment, stdio: ["pipe", "pipe", "pipe"] });
  }

  client(issuer, args, input) {
    const options = ["--sandbox", this.description, "--issuer", issuer, "--base-url", `http://127.0.0.1:${this.nodes[0].port}`];
    return execFileSync(this.program, ["client", ...args, ...options], { encoding: "utf8", input, stdio: ["pipe", "pipe", "pipe"] });
  }

  clientId(issuer) {
    return JSON.parse(readFileSync(this.description, "utf8")).issuers[issuer].client_id;
  }

  /** A cardholder of the issuer, with the newest so many payments of a year that is made up. */
  cardholder(issuer, newest = 5_000) {
    const { userid } = JSON.parse(this.client(issuer, ["enrol"]));
    const year = JSON.parse(execFileSync(this.program, ["client", "transactions", "sample", userid], { encoding: "utf8" }));
    const transactions = year.transactions.slice(-newest);
    this.client(issuer, ["transactions", "send", "-"], JSON.stringify({ transactions }));
    return userid;
  }

  /** A fresh address of a cardholder's view. */
  address(issuer, user, lang) {
    return this.client(issuer, ["dashboard", user, "--lang", lang]).trim().split("\n").at(-1);
  }

  /** Metrics of every node that runs. */
  async metrics() {
    const pages = this.nodes.map(({ metrics }) => get(`http://127.0.0.1:${metrics}/metrics`).then((answer) => answer.text, () => ""));
    return (await Promise.all(pages)).join("\n");
  }

  async stop() {
    this.server?.closeAllConnections();
    this.server?.close();
    const ends = this.nodes.map(({ child }) => {
      if (child.exitCode !== null || child.signalCode !== null) return undefined;
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      return ended;
    });
    await Promise.all(ends);
  }
}

/** Does something again until it succeeds, for as long as nodes may take to follow an operator. */
export async function eventually(attempt) {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

/** A request without a browser: status, headers, body. The balancer's certificate is its own. */
export function get(url, { method = "GET", headers = {} } = {}) {
  const { request } = url.startsWith("https:") ? https : http;
  return new Promise((done, fail) => {
    const sent = request(url, { method, headers, rejectUnauthorized: false }, async (answer) => {
      const parts = [];
      for await (const part of answer) parts.push(part);
      done({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString("utf8") });
    });
    sent.on("error", fail);
    sent.end();
  });
}
