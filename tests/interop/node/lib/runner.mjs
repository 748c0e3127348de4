// A test runner of thirty lines: cases run one after the other, in the order written, each prints one line.
import { writeFileSync } from "node:fs";

export class Runner {
  passed = 0;
  failed = 0;

  /** `name` stands before the counts. */
  constructor(name = "node") {
    this.name = name;
  }

  /** Runs one case. A case fails by throwing; the others go on. */
  async case(title, body) {
    try {
      await body();
      this.passed += 1;
      console.log(`ok    ${title}`);
    } catch (error) {
      this.failed += 1;
      console.log(`FAIL  ${title}\n      ${String(error?.stack ?? error).replaceAll("\n", "\n      ")}`);
    }
  }

  /** Runs a file of cases. What it throws outside its cases counts as a failure, so that nothing is lost silently. */
  async file(name, cases) {
    console.log(`\n# ${name}`);
    try {
      await cases();
    } catch (error) {
      await this.case(`${name}: set-up`, () => {
        throw error;
      });
    }
  }

  /** Leaves the counts for run.sh and sets the exit status. */
  finish() {
    console.log(`\n${this.name}: ${this.passed} passed, ${this.failed} failed`);
    if (process.env.INTEROP_RESULT) writeFileSync(process.env.INTEROP_RESULT, `${this.passed} ${this.failed}\n`);
    process.exitCode = this.failed === 0 ? 0 : 1;
  }
}
