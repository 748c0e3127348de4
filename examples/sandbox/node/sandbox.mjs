// A sandbox for a test: start, wait until it serves, read sandbox.json, stop. Node 18 or newer, no packages.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export class Sandbox {
  /** `program`: the issuer-gateway binary. `seed`: a seed file. `seedKeys`: keys and ids that are the same each time. */
  static async start({ program = process.env.ISSUER_GATEWAY ?? "issuer-gateway", seed, seedKeys } = {}) {
    const root = await mkdtemp(join(tmpdir(), "sandbox-"));
    const folder = join(root, "sandbox");
    const options = ["sandbox", "--dir", folder, "--port", "0"];
    if (seed) options.push("--seed", seed);
    if (seedKeys) options.push(`--seed-keys=${seedKeys}`);
    const child = spawn(program, options, { stdio: ["ignore", "pipe", "pipe"] });
    const errors = [];
    child.stderr.on("data", (data) => errors.push(data));
    let serves = false;
    // The line comes when it answers, and after the seed. If the program ends before, the stream does.
    for await (const line of createInterface({ input: child.stdout })) {
      if ((serves = line.startsWith("Serving"))) break;
    }
    child.stdout.resume();
    const sandbox = new Sandbox(child, root, folder);
    if (!serves) {
      await sandbox.stop();
      throw new Error(`the sandbox did not start: ${Buffer.concat(errors)}`);
    }
    sandbox.description = JSON.parse(await readFile(join(folder, "sandbox.json"), "utf8"));
    sandbox.baseUrl = sandbox.description.base_url;
    return sandbox;
  }

  constructor(child, root, folder) {
    Object.assign(this, { child, root, folder });
  }

  /** A file that the description names. */
  path(file) {
    return join(this.folder, file);
  }

  /** Ends it, and removes its folder. */
  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, "exit");
      this.child.kill("SIGTERM");
      await ended;
    }
    await rm(this.root, { recursive: true, force: true });
  }
}
