import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/**
 * The least a server of machines can do: the same handshakes, a body read to its end, a constant
 * answer. Its one argument is the directory of a controller, whose certificates it shows.
 */
const [directory = ""] = process.argv.slice(2);
const read = (name: string): string => readFileSync(join(directory, name), "utf8");
const answer = Buffer.from(JSON.stringify({ nextMs: 30_000, nowMs: 1_800_000_000_000 }));
const server = createServer(
  {
    cert: read("server.crt"),
    key: read("server.key"),
    ca: read("ca.crt"),
    minVersion: "TLSv1.3",
    requestCert: true,
    rejectUnauthorized: false,
  },
  (request, response) => {
    request.resume();
    request.on("end", () => {
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": answer.length,
      });
      response.end(answer);
    });
  },
);
server.listen(0, "127.0.0.1", () => {
  console.log(`port ${(server.address() as AddressInfo).port}`);
});
process.on("SIGTERM", () => process.exit(0));
