// The one place that loads Mastercard's packages. run.sh installs them under target/interop/node, not beside these
// scripts, so that the source tree stays free of node_modules; a require() rooted there finds them.
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const home = process.env.INTEROP_NODE_DIR ?? fileURLToPath(new URL("../../../../target/interop/node", import.meta.url));
const require = createRequire(join(home, "package.json"));

export const { FieldLevelEncryption, JweEncryption } = require("mastercard-client-encryption");
export const OAuth = require("mastercard-oauth1-signer");
/** Mastercard's READMEs read the .p12 files with forge, so that is how they are read here. */
export const forge = require("node-forge");

/** The peer for ECDH-ES: an ES module, which require() does not load on every Node. */
export const jose = () => import(pathToFileURL(require.resolve("jose")).href);

export const encryptionLibrary = {
  library: "npm mastercard-client-encryption",
  version: require("mastercard-client-encryption/package.json").version,
};
