// Reads sandbox.json, the contract that `issuer-gateway sandbox` writes for tools. Paths in it are relative to its folder.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { forge } from "./official.mjs";

const ISSUER_FILES = ["signing_key", "signing_p12", "decryption_key", "decryption_p12"];

/** The sandbox with every path absolute; each issuer also knows the certificate it encrypts to. */
export function loadSandbox(file) {
  const sandbox = JSON.parse(readFileSync(file, "utf8"));
  const absolute = (path) => resolve(dirname(file), path);
  sandbox.gateway.certificate = absolute(sandbox.gateway.certificate);
  for (const [name, issuer] of Object.entries(sandbox.issuers)) {
    for (const key of ISSUER_FILES) issuer[key] = absolute(issuer[key]);
    issuer.name = name;
    issuer.base_url = sandbox.base_url;
    issuer.gateway_certificate = sandbox.gateway.certificate;
  }
  return sandbox;
}

/** The alias (friendly name) of the one private key in a .p12, which Mastercard's Node library wants to be told. */
export function p12Alias(path, password) {
  return p12KeyBag(path, password).attributes.friendlyName[0];
}

/** The private key of a .p12 as PEM, read as the signer's README says. */
export function p12Key(path, password) {
  return forge.pki.privateKeyToPem(p12KeyBag(path, password).key);
}

function p12KeyBag(path, password) {
  const der = forge.asn1.fromDer(readFileSync(path, "binary"), false);
  const p12 = forge.pkcs12.pkcs12FromAsn1(der, false, password);
  const bagType = forge.pki.oids.pkcs8ShroudedKeyBag;
  const bags = p12.getBags({ bagType })[bagType];
  if (bags?.length !== 1) throw new Error(`${path} should hold exactly one private key`);
  return bags[0];
}
