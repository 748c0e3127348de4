// The Node half of the interoperability suite: `node main.mjs <sandbox.json>`, started by ../run.sh.
import { UniformCryptoError } from "./lib/gateway.mjs";
import { Runner } from "./lib/runner.mjs";
import { loadSandbox } from "./lib/sandbox.mjs";
import deletions from "./cases/deletions.mjs";
import ecdh from "./cases/ecdh.mjs";
import flow from "./cases/flow.mjs";
import fle from "./cases/fle.mjs";
import http from "./cases/http.mjs";
import issuers from "./cases/issuers.mjs";
import jwe from "./cases/jwe.mjs";
import jweRefused from "./cases/jwe-refused.mjs";
import oauth from "./cases/oauth.mjs";
import oauthRefused from "./cases/oauth-refused.mjs";
import seven from "./cases/seven.mjs";
import transactions from "./cases/transactions.mjs";

const sandbox = loadSandbox(process.argv[2]);
const runner = new Runner();
const uniform = new UniformCryptoError();

const files = { flow, issuers, jwe, jweRefused, ecdh, fle, oauth, oauthRefused, http, deletions, transactions, seven };
for (const [name, cases] of Object.entries(files)) await runner.file(name, () => cases(runner, sandbox, uniform));
runner.finish();
