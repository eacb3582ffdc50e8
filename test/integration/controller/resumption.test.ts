import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../src/sys/clock.ts";
import { linuxFiles } from "../../../src/sys/files-linux.ts";
import { ControllerClient } from "../../../src/vault/controller-client.ts";
import type { ControllerReply } from "../../../src/vault/controller-request.ts";
import { type ClientIdentity, HEARTBEAT, TestController } from "../support/controller.ts";

const HOUR_MS = 3_600_000;
const directory = mkdtempSync(join(tmpdir(), "node0-resumption-"));
let controller: TestController;
/** Added to the monotonic clock of clients. */
let aheadMs = 0;

beforeAll(async () => {
  controller = await new TestController().start();
  writeFileSync(join(directory, "ca.crt"), controller.ca);
});

afterAll(async () => {
  await controller.remove();
  rmSync(directory, { recursive: true });
});

/** As a machine has one, for as long as it runs. */
function openClient(): ControllerClient {
  return new ControllerClient({
    controllers: () => [{ url: controller.url, ca: join(directory, "ca.crt") }],
    address: () => undefined,
    files: linuxFiles,
    clock: { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs },
  });
}

async function beat(client: ControllerClient, identity: ClientIdentity): Promise<string> {
  const { answer } = await client.ask({
    ...{ method: "POST", path: "/v1/heartbeat", body: HEARTBEAT },
    identity: { certificate: Buffer.from(identity.cert), key: Buffer.from(identity.key) },
    signal: AbortSignal.timeout(20_000),
    read: ({ status, body }: ControllerReply) => {
      const { code = "" } = JSON.parse(body.toString());
      return `${status} ${code}`.trim();
    },
  });
  return answer;
}

/** Handshakes of a kind so far; what is asked with is a full one itself. */
async function handshakes(kind: "full" | "resumed"): Promise<number> {
  const { text } = await controller.ask("GET", "/metrics", { operator: true });
  return Number(new RegExp(`tls_handshakes_total{kind="${kind}"} (\\d+)`).exec(text)?.[1] ?? 0);
}

async function resumedBy(action: () => Promise<void>): Promise<number> {
  const before = await handshakes("resumed");
  await action();
  return (await handshakes("resumed")) - before;
}

test("a machine shows its certificate once, then takes its session up with each heartbeat", async () => {
  const id = await controller.addNode("52:54:00:00:0a:01");
  const identity = await controller.issue(id);
  const client = openClient();
  const count = await resumedBy(async () => {
    for (let time = 0; time < 5; time += 1) expect(await beat(client, identity)).toBe("200");
  });
  expect(count).toBe(4);
  const { json } = await controller.ask("GET", `/v1/nodes/${id}`, { operator: true });
  expect(json.heartbeat).toMatchObject(HEARTBEAT);
});

test("sessions last an hour, says another client", () => {
  const { host } = new URL(controller.url);
  const output = execFileSync("openssl", ["s_client", "-connect", host, "-ign_eof"], {
    input: "GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
  });
  expect(output).toContain("TLS session ticket lifetime hint: 3600 (seconds)");
});

test("an hour after the certificate was shown it is shown again", async () => {
  const identity = await controller.issue(await controller.addNode("52:54:00:00:0a:02"));
  const client = openClient();
  expect(await resumedBy(async () => void (await beat(client, identity)))).toBe(0);
  aheadMs += HOUR_MS / 2;
  expect(await resumedBy(async () => void (await beat(client, identity)))).toBe(1);
  aheadMs += HOUR_MS / 2;
  expect(await resumedBy(async () => void (await beat(client, identity)))).toBe(0);
  expect(await resumedBy(async () => void (await beat(client, identity)))).toBe(1);
});

test("a revoked certificate and a revoked machine are refused in a session that goes on", async () => {
  const id = await controller.addNode("52:54:00:00:0a:03");
  const [first, second] = [await controller.issue(id), await controller.issue(id)];
  const [clientOfFirst, clientOfSecond] = [openClient(), openClient()];
  expect(await beat(clientOfFirst, first)).toBe("200");
  expect(await beat(clientOfSecond, second)).toBe("200");
  const { serial } = first;
  const path = `/v1/nodes/${id}`;
  const options = { operator: true, body: { serial } };
  await controller.ask("POST", `${path}/revoke-certificate`, options);
  const asked = async (): Promise<void> => {
    expect(await beat(clientOfFirst, first)).toBe("403 E_CERTIFICATE_REVOKED");
  };
  // Refused in the session, asked again with the certificate, refused for good.
  expect(await resumedBy(asked)).toBe(1);
  expect(await beat(clientOfSecond, second)).toBe("200");
  await controller.ask("POST", `${path}/revoke`, { operator: true, body: {} });
  const count = await resumedBy(async () => {
    expect(await beat(clientOfSecond, second)).toBe("403 E_NODE_STATE");
  });
  expect(count).toBe(1);
});

test("another certificate begins a session of its own", async () => {
  const one = await controller.addNode("52:54:00:00:0a:04");
  const other = await controller.addNode("52:54:00:00:0a:05");
  const client = openClient();
  expect(await beat(client, await controller.issue(one))).toBe("200");
  const identity = await controller.issue(other);
  const count = await resumedBy(async () => expect(await beat(client, identity)).toBe("200"));
  expect(count).toBe(0);
  const { json } = await controller.ask("GET", `/v1/nodes/${other}`, { operator: true });
  expect(json.heartbeat).toMatchObject(HEARTBEAT);
});

test("a session without a certificate is that of nobody", async () => {
  const { hostname, port } = new URL(controller.url);
  const options = { host: hostname, port: Number(port), ca: controller.ca };
  const session = await new Promise<Buffer>((resolve, reject) => {
    const socket = connect(options);
    socket.on("error", reject);
    socket.once("session", (one: Buffer) => {
      socket.destroy();
      resolve(one);
    });
    socket.once("secureConnect", () => socket.write("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"));
  });
  const { text, isReused } = await new Promise<{ text: string; isReused: boolean }>(
    (resolve, reject) => {
      const socket = connect({ ...options, session });
      socket.on("error", reject);
      socket.once("secureConnect", () =>
        socket.write("GET /v1/session HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"),
      );
      let received = "";
      socket.on("data", (chunk: Buffer) => {
        received += chunk.toString();
      });
      socket.once("end", () => resolve({ text: received, isReused: socket.isSessionReused() }));
    },
  );
  expect(isReused).toBe(true);
  expect(text).toMatch(/^HTTP\/1\.1 401 [\s\S]*E_CERTIFICATE_MISSING/);
});

test("after a restart of the controller machines show their certificates again", async () => {
  const identity = await controller.issue(await controller.addNode("52:54:00:00:0a:06"));
  const client = openClient();
  expect(await beat(client, identity)).toBe("200");
  const { port } = new URL(controller.url);
  await controller.stop();
  await controller.start(`127.0.0.1:${port}`);
  const count = await resumedBy(async () => expect(await beat(client, identity)).toBe("200"));
  expect(count).toBe(0);
});
