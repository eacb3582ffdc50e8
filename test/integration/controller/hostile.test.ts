import { connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestController, UNLOCK } from "../support/controller.ts";

const MB = 1024 * 1024;
let controller: TestController;

beforeAll(async () => {
  controller = await new TestController().start();
});

afterAll(() => controller.remove());

interface Raw {
  readonly socket: TLSSocket;
  /** All it received, once the other side has closed. */
  readonly closed: Promise<string>;
}

async function open(): Promise<Raw> {
  const { hostname, port } = new URL(controller.url);
  const socket = connect({ host: hostname, port: Number(port), ca: controller.ca });
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on("error", () => undefined);
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(text)));
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  return { socket, closed };
}

test("older versions of TLS are refused", async () => {
  const { hostname, port } = new URL(controller.url);
  const options = { host: hostname, port: Number(port), ca: controller.ca };
  const socket = connect({ ...options, maxVersion: "TLSv1.2" });
  const code = await new Promise((resolve) => {
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    socket.once("secureConnect", () => resolve("connected"));
  });
  expect(code).toBe("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
});

test("who drips a head or a body is cut off, and others are served meanwhile", async () => {
  const [head, body] = await Promise.all([open(), open()]);
  head.socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\n");
  body.socket.write("POST /v1/unlock HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
  const timer = setInterval(() => {
    head.socket.write("x: y\r\n");
    body.socket.write(" ");
  }, 500);
  try {
    expect((await controller.ask("GET", "/healthz")).status).toBe(200);
    const [headText, bodyText] = await Promise.all([head.closed, body.closed]);
    expect(headText).not.toContain("200 OK");
    expect(bodyText).not.toContain("200 OK");
  } finally {
    clearInterval(timer);
  }
});

test("a body that is too large is refused before it is read", async () => {
  const { socket, closed } = await open();
  socket.write(`POST /v1/unlock HTTP/1.1\r\nHost: a\r\nContent-Length: ${100 * MB}\r\n\r\n`);
  const text = await closed;
  expect(text).toMatch(/^HTTP\/1\.1 413 /);
  expect(text).toContain("E_BODY_SIZE");
});

test("a body that grows too large without saying so is refused", async () => {
  const { socket, closed } = await open();
  socket.write("POST /v1/unlock HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const piece = `1000\r\n${" ".repeat(0x1000)}\r\n`;
  for (let i = 0; i < 8; i += 1) socket.write(piece);
  expect(await closed).toMatch(/^HTTP\/1\.1 413 /);
});

test("garbage instead of HTTP ends the connection", async () => {
  const { socket, closed } = await open();
  socket.write(Buffer.alloc(1000, 0xff));
  await closed;
  expect((await controller.ask("GET", "/healthz")).status).toBe(200);
});

test("bodies that are not as described are refused with what was expected", async () => {
  const mac = "52:54:00:00:00:01";
  const bodies: readonly (readonly [unknown, RegExp])[] = [
    [[], /expected an object/],
    [{ ...UNLOCK, macs: [] }, /1 to 64/],
    [{ ...UNLOCK, macs: [mac, mac] }, /each once/],
    [{ ...UNLOCK, macs: ["52-54-00-00-00-01"] }, /lower case with colons/],
    [{ ...UNLOCK, macs: ["00:00:00:00:00:00"] }, /single machines/],
    [{ ...UNLOCK, macs: ["ff:ff:ff:ff:ff:ff"] }, /single machines/],
    [{ ...UNLOCK, macs: [7] }, /expected a string/],
    [{ ...UNLOCK, macs: [mac], serial: "x".repeat(257) }, /at most 256/],
    [{ ...UNLOCK, macs: [mac], overlayId: "zz" }, /10 hexadecimal/],
    [{ macs: [mac] }, /expected a value/],
  ];
  for (const [body, message] of bodies) {
    const { status, json } = await controller.ask("POST", "/v1/unlock", { body });
    expect([status, json.code]).toStrictEqual([400, "E_SCHEMA"]);
    expect(json.message).toMatch(message);
  }
  for (const raw of ["{", '"\xff', Buffer.from([0x22, 0xff, 0x22])]) {
    expect((await controller.ask("POST", "/v1/unlock", { raw })).json.code).toBe("E_JSON");
  }
  const { json } = await controller.ask("GET", "/v1/nodes", { operator: true });
  expect(json.nodes).toStrictEqual([]);
});

test("an upload without a key, or with half of one, changes nothing and never shows it", async () => {
  const id = await controller.addNode("52:54:00:00:09:01");
  const secret = Buffer.alloc(16, 3).toString("base64");
  const heads = [
    "",
    "{}\n",
    `{"key":"${secret}"}\nc`,
    `{"key":"${secret}`,
    `${"x".repeat(5000)}\n`,
  ];
  for (const raw of heads) {
    const path = `/v1/nodes/${id}/private`;
    const { status, json, text } = await controller.ask("POST", path, { operator: true, raw });
    expect([status, json.code]).toStrictEqual([400, "E_PRIVATE_HEAD"]);
    expect(text).not.toContain(secret);
  }
  expect((await controller.ask("GET", `/v1/nodes/${id}`, { operator: true })).json.revision).toBe(
    1,
  );
  expect(controller.output).not.toContain(secret);
});

test("routes of operators want the token, and a wrong one is answered late", async () => {
  const paths = ["/v1/nodes", "/v1/policy", "/v1/audit", "/metrics", "/v1/events", "/openapi.json"];
  for (const path of paths) {
    expect((await controller.ask("GET", path)).json.code).toBe("E_TOKEN_MISSING");
  }
  const startMs = performance.now();
  const wrong = await controller.ask("GET", "/v1/nodes", { token: "x".repeat(43) });
  expect([wrong.status, wrong.json.code]).toStrictEqual([401, "E_TOKEN_WRONG"]);
  expect(performance.now() - startMs).toBeGreaterThan(450);
});

test("guessing tokens is throttled, and the right one still passes", async () => {
  const guesses = Array.from({ length: 40 }, () =>
    controller.ask("GET", "/v1/nodes", { token: "y".repeat(43) }),
  );
  const statuses = (await Promise.all(guesses)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(25);
  expect((await controller.ask("GET", "/v1/nodes", { operator: true })).status).toBe(200);
  const logins = (await controller.auditLines()).filter(({ action }) => action === "login");
  expect(logins.map(({ outcome }) => outcome)).toStrictEqual(["failed", "throttled"]);
});
