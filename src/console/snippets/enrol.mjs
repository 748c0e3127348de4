// npm install mastercard-client-encryption mastercard-oauth1-signer && node enrol.mjs
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const { JweEncryption } = require("mastercard-client-encryption");
const OAuth = require("mastercard-oauth1-signer");

const url = "@BASE_URL@/issuers/users";
const consumerKey = "@CONSUMER_KEY@";
const signingKey = readFileSync("@SIGNING_KEY@", "utf8");
const jwe = new JweEncryption({
  mode: "JWE",
  paths: [{
    path: "/issuers/users",
    toEncrypt: [{ element: "$", obj: "$" }],
    toDecrypt: [{ element: "encryptedData", obj: "$" }],
  }],
  encryptedValueFieldName: "encryptedData",
  encryptionCertificate: "@GATEWAY_CERTIFICATE@",
  privateKey: "@DECRYPTION_KEY@",
});

const clear = @JSON@;
const body = JSON.stringify(jwe.encrypt("/issuers/users", {}, clear).body);
const Authorization = OAuth.getAuthorizationHeader(url, "POST", body, consumerKey, signingKey);
const headers = { Authorization, "Content-Type": "application/json" };
const answer = await (await fetch(url, { method: "POST", headers, body })).json();
const open = () => jwe.decrypt({ request: { url: "/issuers/users" }, header: {}, body: answer });
console.log(JSON.stringify("encryptedData" in answer ? open() : answer));
