// HTTP as bytes: the target and the body go out exactly as given, which signatures over both depend on. fetch would
// normalise the one and add headers to the other.
import http from "node:http";

/** Sends one request and reads the whole answer. `target` is the path with its query, put on the wire untouched. */
export function send(baseUrl, { method, target, headers = {}, body }) {
  const { hostname, port } = new URL(baseUrl);
  const bytes = body === undefined ? undefined : Buffer.from(body);
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: hostname,
        port,
        method,
        path: target,
        agent: false,
        timeout: 30_000,
        headers: { ...headers, ...(bytes && { "Content-Length": bytes.length }) },
      },
      (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const raw = Buffer.concat(chunks);
          resolve({ status: response.statusCode, headers: response.headers, raw, text: raw.toString("utf8") });
        });
      },
    );
    request.on("timeout", () => request.destroy(new Error(`${method} ${target}: no answer`)));
    request.on("error", reject);
    request.end(bytes);
  });
}
