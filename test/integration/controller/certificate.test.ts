import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as requestHttps } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../../src/sys/clock.ts";
import { linuxFiles } from "../../../src/sys/files-linux.ts";
import { readSession } from "../../../src/vault/controller-answers.ts";
import { ControllerClient } from "../../../src/vault/controller-client.ts";
import { type ClientIdentity, makeRequest, TestController } from "../support/controller.ts";

let directory: string;
const controllers: TestController[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "node0-certificate-"));
  makeForeignCertificate();
});

afterEach(async () => {
  for (const controller of controllers.splice(0)) await controller.remove();
  rmSync(directory, { recursive: true });
});

const file = (name: string): string => join(directory, name);
const openssl = (...words: readonly string[]): void =>
  void execFileSync("openssl", words, { stdio: "ignore" });

/** A certificate for 127.0.0.1 as a company's own CA gives it: RSA, with an intermediate in between. */
function makeForeignCertificate(): void {
  const extensions = (name: string, text: string): string => {
    writeFileSync(file(name), text);
    return file(name);
  };
  const request = (name: string): void =>
    openssl(
      ...["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", file(`${name}.key`)],
      ...["-out", file(`${name}.csr`), "-subj", `/CN=${name}`],
    );
  const sign = (name: string, by: string, text: string): void =>
    openssl(
      ...["x509", "-req", "-in", file(`${name}.csr`), "-CA", file(`${by}.crt`)],
      ...["-CAkey", file(`${by}.key`), "-CAcreateserial", "-days", "2"],
      ...["-extfile", extensions(`${name}.ext`, text), "-out", file(`${name}.crt`)],
    );
  openssl(
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", file("root.key"), "-days", "2"],
    ...["-out", file("root.crt"), "-subj", "/CN=root"],
  );
  request("middle");
  sign("middle", "root", "basicConstraints=critical,CA:TRUE\n");
  request("leaf");
  sign("leaf", "middle", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
  const chain = readFileSync(file("leaf.crt"), "utf8") + readFileSync(file("middle.crt"), "utf8");
  writeFileSync(file("chain.crt"), chain);
}

/** Not started yet. */
function make(certificate: string, key: string): TestController {
  const words = ["--certificate", file(certificate), "--key", file(key)];
  const controller = new TestController(file("state"), words);
  controllers.push(controller);
  return controller;
}

/** As an operator, with the CA of that certificate. */
async function ask(
  controller: TestController,
  path: string,
  options: { readonly body?: object; readonly identity?: ClientIdentity } = {},
): Promise<{ readonly status: number; readonly json: Record<string, string> }> {
  const { promise, resolve, reject } = Promise.withResolvers<string[]>();
  const request = requestHttps(
    new URL(path, controller.url),
    {
      method: options.body === undefined ? "GET" : "POST",
      ...{ ca: readFileSync(file("root.crt")), agent: false, ...options.identity },
      headers: { authorization: `Bearer ${controller.token}` },
    },
    async (response) => {
      const texts = await response.toArray();
      resolve([`${response.statusCode}`, texts.join("")]);
    },
  );
  request.on("error", reject);
  request.end(options.body === undefined ? undefined : JSON.stringify(options.body));
  const [status, text = ""] = await promise;
  return { status: Number(status), json: JSON.parse(text) };
}

test("a certificate of another CA is shown, and machines still prove themselves to the own one", async () => {
  const controller = await make("chain.crt", "leaf.key").start();
  expect(await ask(controller, "/healthz")).toMatchObject({ status: 200 });
  const added = await ask(controller, "/v1/nodes", { body: { macs: ["52:54:00:00:0b:01"] } });
  const id = added.json["id"] ?? "";
  await ask(controller, `/v1/nodes/${id}/approve`, { body: {} });
  const { csr, key } = makeRequest();
  const issued = await ask(controller, `/v1/nodes/${id}/certificate`, { body: { csr } });
  const identity = { cert: issued.json["certificate"] ?? "", key };
  expect(await ask(controller, "/v1/session", { identity })).toMatchObject({
    status: 200,
    json: { node: id },
  });

  // A client certificate of the CA that signed the one of the server is nobody's.
  const foreign = {
    cert: readFileSync(file("chain.crt"), "utf8"),
    key: readFileSync(file("leaf.key"), "utf8"),
  };
  expect((await ask(controller, "/v1/session", { identity: foreign })).json["code"]).toBe(
    "E_CERTIFICATE_FOREIGN",
  );

  const client = new ControllerClient({
    controllers: () => [{ url: controller.url, ca: file("root.crt") }],
    address: () => undefined,
    files: linuxFiles,
    clock: systemClock,
  });
  const { answer } = await client.ask({
    ...{ method: "GET", path: "/v1/session", read: readSession },
    identity: { certificate: Buffer.from(identity.cert), key: Buffer.from(identity.key) },
    signal: AbortSignal.timeout(20_000),
  });
  expect(answer.node).toBe(id);
});

test("who trusts the controller's own CA alone does not trust the other one", async () => {
  const controller = await make("chain.crt", "leaf.key").start();
  const { hostname, port } = new URL(controller.url);
  const code = await new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), ca: controller.ca });
    socket.once("secureConnect", () => resolve("connected"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  expect(code).toMatch(/UNABLE_TO_(GET_ISSUER_CERT_LOCALLY|VERIFY_LEAF_SIGNATURE)/);
});

test("files that do not belong together or are none are refused with what is wrong", async () => {
  await expect(make("chain.crt", "middle.key").start()).rejects.toThrow(
    /Cannot use \S+middle\.key: it is not the key of \S+chain\.crt, expected the one that certificate was made for/,
  );
  await expect(make("leaf.key", "leaf.key").start()).rejects.toThrow(
    /Cannot use \S+leaf\.key: .*, expected a certificate in PEM/,
  );
  await expect(make("chain.crt", "chain.crt").start()).rejects.toThrow(
    /Cannot use \S+chain\.crt: .*, expected a private key in PEM without a passphrase/,
  );
  await expect(make("chain.crt", "missing.key").start()).rejects.toThrow(
    /Cannot read \S+missing\.key: ENOENT, expected PEM/,
  );
});
