import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runOperatorCommand } from "../../../src/controller/operator/command.ts";
import { OperatorClient } from "../../../src/controller/operator-client.ts";
import { makeHeartbeat, makeNode } from "../../fakes/memory-controller.ts";
import { type ControllerServer, openControllerServer } from "../support/controller-server.ts";
import { makeCa } from "../support/throwaway-ca.ts";

const MAC = "52:54:00:12:34:56";

let server: ControllerServer;
let client: OperatorClient;

beforeEach(async () => {
  server = await openControllerServer();
  client = new OperatorClient({ dir: server.dir });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

test("a machine goes through its life by the client", async () => {
  const { id } = await client.registerNode({ macs: [MAC], overlayAddress: "10.147.17.42" });
  expect((await client.listNodes()).map((node) => node.id)).toStrictEqual([id]);
  expect(await client.approve(id, "rack 1")).toMatchObject({ state: "approved", note: "rack 1" });
  expect(await client.revoke(id)).toMatchObject({ state: "revoked", note: "" });
  expect(await client.getNode(id)).toMatchObject({
    ...{ id, macs: [MAC], overlayAddress: "10.147.17.42", state: "revoked" },
  });
  await client.remove(id);
  await expect(client.getNode(id)).rejects.toMatchObject({ code: "E_NODE_UNKNOWN" });
  const actions = (await client.audit()).map(({ action }) => action);
  expect(actions).toStrictEqual(["start", "register", "approve", "revoke", "remove"]);
});

test("key and ciphertext arrive together, whole or in pieces", async () => {
  const { id } = await client.registerNode({ macs: [MAC] });
  const key = randomBytes(32).toString("base64");
  const tar = randomBytes(300_000);
  const sha256 = createHash("sha256").update(tar).digest("hex");
  expect(await client.uploadPrivate(id, key, tar)).toStrictEqual({ revision: 1, sha256 });
  async function* pieces() {
    yield tar.subarray(0, 100_001);
    yield tar.subarray(100_001);
  }
  expect(await client.uploadPrivate(id, key, pieces())).toStrictEqual({ revision: 2, sha256 });
});

test("a source of ciphertext that fails is told, and nothing is stored", async () => {
  const { id } = await client.registerNode({ macs: [MAC] });
  async function* broken() {
    yield randomBytes(1000);
    throw new Error("disk is gone");
  }
  const upload = client.uploadPrivate(id, randomBytes(32).toString("base64"), broken());
  await expect(upload).rejects.toThrow("disk is gone");
  expect((await client.getNode(id)).revision).toBe(0);
});

test("a controller of another authority never sees the token", async () => {
  const directory = mkdtempSync(join(server.dir, "other-"));
  const { certificate } = makeCa(directory);
  const tokenFile = join(server.dir, "operator-token");
  const other = new OperatorClient({ url: server.url, caFile: certificate, tokenFile });
  const length = server.controller.core.store.audit.length;
  await expect(other.listNodes()).rejects.toMatchObject({
    code: "E_CONTROLLER_UNREACHABLE",
    message: expect.stringContaining(`not signed by the CA in ${certificate}`),
  });
  expect(server.controller.core.store.audit.length).toBe(length);
  rmSync(directory, { recursive: true });
});

test("a wrong token is refused, and is not in the message", async () => {
  const tokenFile = join(server.dir, "wrong-token");
  const wrong = randomBytes(32).toString("base64url");
  writeFileSync(tokenFile, `${wrong}\n`);
  const caFile = join(server.dir, "ca.crt");
  const error: unknown = await new OperatorClient({ url: server.url, caFile, tokenFile })
    .listNodes()
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "E_TOKEN_WRONG", fields: { status: 401 } });
  expect(String(error)).not.toContain(wrong);
});

test("a controller that accepts and says nothing is given up", async () => {
  const silent = createServer((socket) => socket.resume().on("error", () => undefined));
  silent.listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const { port } = silent.address() as { port: number };
  const caFile = join(server.dir, "ca.crt");
  const tokenFile = join(server.dir, "operator-token");
  const target = { url: `https://127.0.0.1:${port}`, caFile, tokenFile };
  const asked = new OperatorClient(target, { limitMs: 200 }).policy();
  await expect(asked).rejects.toThrow(/no answer within 0\.2 s/);
  await new Promise((resolve) => silent.close(resolve));
});

test("a directory no controller has started in is said to be that", async () => {
  const empty = mkdtempSync(join(server.dir, "empty-"));
  await expect(new OperatorClient({ dir: empty }).policy()).rejects.toMatchObject({
    code: "E_CONTROLLER_TARGET",
    message: `Cannot read ${empty}/url: no such file, expected a file of a controller that was started`,
  });
});

test("the commands show and decide, with a machine named by address or prefix", async () => {
  const id = server.put(makeNode({ id: "" }));
  expect(await run("nodes", "approve", "52-54-00-12-34-56", "--note", "rack 1")).toStrictEqual({
    ...{ code: 0, out: `${id} approved\n`, err: "" },
  });
  server.controller.core.heartbeat(id, makeHeartbeat(0), "10.20.0.21");
  const list = await run("nodes");
  expect(list.out).toMatch(/^ID +STATE +MAC/);
  expect(list.out).toContain("booted in 4.12 s");
  const shown = await run("nodes", "show", id.slice(0, 6));
  expect(shown.out).toMatch(/^note +rack 1$/m);
  expect(shown.out).toMatch(/^controller-tls +done/m);
  const json = await run("nodes", "list", "-o", "json");
  expect(JSON.parse(json.out)).toMatchObject([{ id, state: "approved" }]);
  expect(await run("nodes", "reject", id)).toMatchObject({
    ...{ code: 1, out: "", err: expect.stringContaining("it is approved, expected pending") },
  });
});

test("one machine that is not known changes none of the others", async () => {
  const id = server.put(makeNode({ id: "" }));
  expect(await run("nodes", "approve", id, "nosuchmachine")).toMatchObject({ code: 1, out: "" });
  expect(server.controller.core.store.nodes.get(id)?.state).toBe("pending");
});

test("policy and audit log are read and written", async () => {
  expect((await run("policy")).out).toBe("manual\n");
  expect((await run("policy", "set", "overlay")).out).toBe("overlay\n");
  expect(await run("policy", "set", "anything")).toMatchObject({ code: 2 });
  const lines = (await run("audit", "-o", "json")).out.trimEnd().split("\n");
  const entries = lines.map((line) => JSON.parse(line) as { action: string; sequence: number });
  expect(entries.map(({ action }) => action)).toStrictEqual(["start", "policy"]);
  const [, last] = entries;
  expect((await run("audit", "--after", "1")).out).toMatch(/^ +2 {2}20\d\d-.* policy /);
  expect((await run("audit", "--after", String(last?.sequence))).out).toBe("");
});

test("wrong words are exit code 2 with the usage", async () => {
  for (const words of [["nodes", "frobnicate"], ["nodes", "approve"], ["nodes", "show"], ["x"]]) {
    expect(await run(...words)).toMatchObject({
      ...{ code: 2, out: "", err: expect.stringContaining("Usage:") },
    });
  }
});

async function run(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runOperatorCommand([...words, "--dir", server.dir], {
    out: async (text) => void out.push(text),
    err: async (text) => void err.push(text),
    nowMs: Date.now,
  });
  return { code, out: out.join(""), err: err.join("") };
}
