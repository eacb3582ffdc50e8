import { X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Authority } from "../../../src/controller/ca.ts";
import { HEARTBEAT, makeRequest, runController, TestController } from "../support/controller.ts";

const KEY = Buffer.alloc(32, 0xab).toString("base64");
let controller: TestController;

beforeAll(async () => {
  controller = await new TestController().start();
});

afterAll(() => controller.remove());

const operator = (method: string, path: string, body?: unknown) =>
  controller.ask(method, path, { operator: true, ...(body === undefined ? {} : { body }) });

test("a machine is pending, approved, given its key, seen, revoked and removed", async () => {
  const mac = "52:54:00:00:01:01";
  const first = await controller.unlock([mac]);
  expect(first).toMatchObject({ status: 202, json: { state: "pending" } });
  const id = first.json.node as string;
  expect((await operator("GET", `/v1/nodes/${id}`)).json).toMatchObject({
    state: "pending",
    macs: [mac],
    reported: { vendor: "QEMU", overlayId: "0123456789" },
    address: "127.0.0.1",
  });

  await operator("POST", `/v1/nodes/${id}/approve`, { note: "rack 4" });
  const withheld = await controller.unlock([mac]);
  expect(withheld).toMatchObject({ status: 409, json: { state: "withheld", node: id } });

  const path = `/v1/nodes/${id}/private`;
  const raw = `${JSON.stringify({ key: KEY })}\nciphertext`;
  const upload = await controller.ask("POST", path, { operator: true, raw });
  expect(upload).toMatchObject({ status: 200, json: { revision: 1 } });
  const open = await controller.unlock([mac]);
  expect(open).toMatchObject({
    status: 200,
    json: { state: "approved", node: id, key: KEY, ...upload.json },
  });
  const download = await controller.ask("GET", `/v1/private/${mac}`);
  expect(download).toMatchObject({ status: 200, text: "ciphertext" });
  expect(download.headers["x-node0-revision"]).toBe("1");

  const identity = await controller.issue(id);
  expect((await controller.ask("GET", "/v1/session", { identity })).json.node).toBe(id);
  const beat = await controller.ask("POST", "/v1/heartbeat", { identity, body: HEARTBEAT });
  expect(beat).toMatchObject({ status: 200, json: { nextMs: 30_000 } });
  expect((await operator("GET", `/v1/nodes/${id}`)).json.heartbeat).toMatchObject(HEARTBEAT);

  await operator("POST", `/v1/nodes/${id}/revoke`, { note: "sold" });
  expect(await controller.unlock([mac])).toMatchObject({
    status: 403,
    json: { state: "revoked", reason: "sold" },
  });
  expect((await controller.ask("GET", "/v1/session", { identity })).status).toBe(403);

  await operator("DELETE", `/v1/nodes/${id}`);
  expect((await operator("GET", `/v1/nodes/${id}`)).status).toBe(404);
  expect((await controller.ask("GET", `/v1/private/${mac}`)).status).toBe(404);
  expect((await controller.ask("GET", "/v1/session", { identity })).status).toBe(401);
  const actions = (await controller.auditLines())
    .filter(({ subject }) => subject === id)
    .map(({ action, outcome }) => `${action} ${outcome}`);
  expect(actions).toStrictEqual([
    "unlock pending",
    "approve done",
    "unlock withheld",
    "private done",
    "unlock approved",
    "certificate done",
    "revoke done",
    "unlock revoked",
    "remove done",
  ]);
});

test("a machine registered before is approved with its first request by policy registered", async () => {
  const mac = "52:54:00:00:02:01";
  await operator("PUT", "/v1/policy", { policy: "registered" });
  const { json } = await operator("POST", "/v1/nodes", { macs: [mac] });
  const raw = `${JSON.stringify({ key: KEY })}\nc`;
  await controller.ask("POST", `/v1/nodes/${json.id}/private`, { operator: true, raw });
  expect((await controller.unlock([mac])).status).toBe(200);
  expect((await controller.unlock(["52:54:00:00:02:02"])).status).toBe(202);
  await operator("PUT", "/v1/policy", { policy: "manual" });
});

test("policy overlay gives the key to the pinned address alone", async () => {
  const id = await controller.addNode("52:54:00:00:03:01", KEY);
  await operator("PUT", "/v1/policy", { policy: "overlay" });
  const ask = () => controller.unlock(["52:54:00:00:03:01"]);
  expect(await ask()).toMatchObject({ status: 409, json: { state: "withheld" } });
  const pin = (overlayAddress: string) =>
    operator("POST", "/v1/nodes", { macs: ["52:54:00:00:03:01"], overlayAddress });
  expect((await pin("10.147.17.5")).json).toMatchObject({ id, overlayAddress: "10.147.17.5" });
  expect((await ask()).json).not.toHaveProperty("key");
  await pin("127.0.0.1");
  expect(await ask()).toMatchObject({ status: 200, json: { key: KEY } });
  await operator("PUT", "/v1/policy", { policy: "manual" });
});

test("another machine that names the MAC gets no key where the overlay address is pinned", async () => {
  const mac = "52:54:00:00:03:02";
  const id = await controller.addNode(mac, KEY);
  await operator("POST", "/v1/nodes", { macs: [mac], overlayAddress: "127.0.7.1" });
  await operator("PUT", "/v1/policy", { policy: "overlay" });
  const other = await controller.unlock([mac], { localAddress: "127.0.7.2" });
  expect(other).toMatchObject({ status: 409, json: { state: "withheld", node: id } });
  expect(other.text).not.toContain(KEY);
  const own = await controller.unlock([mac], { localAddress: "127.0.7.1" });
  expect(own).toMatchObject({ status: 200, json: { key: KEY } });
  await operator("PUT", "/v1/policy", { policy: "manual" });
  const lines = (await controller.auditLines()).filter(({ action }) => action === "unlock");
  const told = lines.filter(({ subject }) => subject === id);
  expect(told.map(({ actor, outcome }) => `${actor} ${outcome}`)).toStrictEqual([
    "127.0.7.2 withheld",
    "127.0.7.1 approved",
  ]);
});

test("addresses of two machines in one request give nothing and show in the audit log", async () => {
  await controller.addNode("52:54:00:00:04:01");
  await controller.addNode("52:54:00:00:04:02");
  const reply = await controller.unlock(["52:54:00:00:04:01", "52:54:00:00:04:02"]);
  expect(reply).toMatchObject({ status: 409, json: { code: "E_MACS_CONFLICT" } });
  const [line] = (await controller.auditLines()).filter(({ outcome }) => outcome === "conflict");
  expect(line).toMatchObject({ action: "unlock", actor: "127.0.0.1" });
});

test("a further address is noted and does not become part of the machine", async () => {
  const id = await controller.addNode("52:54:00:00:05:01");
  const strange = "52:54:00:00:05:99";
  expect((await controller.unlock(["52:54:00:00:05:01", strange])).status).toBe(200);
  expect((await operator("GET", `/v1/nodes/${id}`)).json.macs).toStrictEqual(["52:54:00:00:05:01"]);
  expect((await controller.unlock([strange])).json.node).not.toBe(id);
  const lines = await controller.auditLines();
  expect(lines.find(({ detail }) => detail.includes(strange))).toMatchObject({ subject: id });
});

test("expired, revoked, foreign and missing client certificates are refused, each with its reason", async () => {
  const id = await controller.addNode("52:54:00:00:06:01");
  const code = async (identity?: { cert: string; key: string }) => {
    const options = identity === undefined ? {} : { identity };
    const { status, json } = await controller.ask("GET", "/v1/session", options);
    return `${status} ${json.code ?? json.node}`;
  };
  expect(await code()).toBe("401 E_CERTIFICATE_MISSING");

  const good = await controller.issue(id);
  expect(await code(good)).toBe(`200 ${id}`);
  const { serial } = good;
  await operator("POST", `/v1/nodes/${id}/revoke-certificate`, { serial });
  expect(await code(good)).toBe("403 E_CERTIFICATE_REVOKED");
  expect((await operator("GET", `/v1/nodes/${id}`)).json.revokedSerials).toHaveLength(1);

  const sign = async (directory: string, notAfterMs: number) => {
    const authority = await Authority.open({ directory, nowMs: () => Date.now() });
    const { csr, key } = makeRequest();
    const { certificate } = await authority.signClient({ csr, node: id, notAfterMs });
    return { cert: certificate, key };
  };
  expect(await code(await sign(controller.directory, Date.now() - 1000))).toBe(
    "401 E_CERTIFICATE_EXPIRED",
  );
  expect(await code(await sign(controller.directory, Date.now() + 1e9))).toBe(
    "401 E_CERTIFICATE_UNKNOWN",
  );
  const other = mkdtempSync(join(tmpdir(), "node0-foreign-"));
  try {
    expect(await code(await sign(other, Date.now() + 1e9))).toBe("401 E_CERTIFICATE_FOREIGN");
  } finally {
    rmSync(other, { recursive: true });
  }
});

test("its own certificate is signed by its CA, good for names given and for 20 years of the CA", async () => {
  const ca = new X509Certificate(controller.ca);
  const years = (ca.validToDate.getTime() - Date.now()) / (365 * 86_400_000);
  expect(Math.round(years)).toBe(20);
  expect(ca.ca).toBe(true);
  for (const name of ["ca.key", "server.key", "operator-token", "master.key", "controller.db"]) {
    expect(statSync(join(controller.directory, name)).mode & 0o777).toBe(0o600);
  }
  expect(runController(["ca", "--dir", controller.directory])).toBe(controller.ca);
  expect(runController(["token", "--dir", controller.directory]).trim()).toBe(controller.token);
});

test("a backup taken while it serves gives the same controller again", async () => {
  const mac = "52:54:00:00:07:01";
  await controller.addNode(mac, KEY);
  const directory = mkdtempSync(join(tmpdir(), "node0-backup-"));
  const [file, copy] = [join(directory, "backup.tar"), join(directory, "copy")];
  runController(["backup", file, "--dir", controller.directory]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  runController(["restore", file, "--dir", copy]);
  expect(() => runController(["restore", file, "--dir", copy])).toThrow(/there are files in it/);
  const restored = await new TestController(copy).start();
  try {
    expect(await restored.unlock([mac])).toMatchObject({ status: 200, json: { key: KEY } });
    expect(restored.token).toBe(controller.token);
  } finally {
    await restored.remove();
    rmSync(directory, { recursive: true });
  }
});

test("what is no backup is refused and leaves the directory empty", () => {
  const directory = mkdtempSync(join(tmpdir(), "node0-backup-"));
  const file = join(directory, "backup.tar");
  writeFileSync(file, Buffer.alloc(4096, 1));
  expect(() => runController(["restore", file, "--dir", join(directory, "copy")])).toThrow();
  expect(existsSync(join(directory, "copy/controller.db"))).toBe(false);
  rmSync(directory, { recursive: true });
});

test("changes reach listeners of the event stream, and SIGTERM ends it within 5 s", async () => {
  const own = await new TestController().start();
  try {
    const stream = own.ask("GET", "/v1/events", { operator: true });
    await expect
      .poll(async () => {
        await own.unlock(["52:54:00:00:08:01"]);
        const { text } = await own.ask("GET", "/metrics", { operator: true });
        return text.includes("node0_controller_connections 2");
      })
      .toBe(true);
    await own.unlock(["52:54:00:00:08:02"]);
    const startMs = performance.now();
    expect(await own.stop()).toBe(0);
    expect(performance.now() - startMs).toBeLessThan(5000);
    expect((await stream).text).toMatch(
      /event: node\ndata: \{"id":"[a-z0-9]{12}","state":"pending"\}/,
    );
  } finally {
    await own.remove();
  }
});

test("neither key nor token is in the log", async () => {
  expect(controller.output).toContain("Controller serves");
  expect(controller.output).not.toContain(KEY);
  expect(controller.output).not.toContain(controller.token);
});
