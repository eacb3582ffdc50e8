import { once } from "node:events";
import { createServer, connect as dial } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Client } from "../../src/client/client.ts";
import { connect } from "../../src/client/connect.ts";
import { HostAgent } from "./cli-agent.ts";

const agent = new HostAgent();
let client: Client;

const open = () => connect({ port: agent.port, passwordFile: agent.passwordFile });

beforeAll(async () => {
  await agent.start();
  client = await open();
});

afterAll(async () => {
  client.close();
  await agent.stop();
});

test("returns the result of a job whatever its state", async () => {
  const result = await client.run("bash", { script: "echo x; exit 3" });

  expect(result).toMatchObject({ state: "ERROR", code: 1003, streams: ["x\n", ""] });
});

test("runs many jobs at a time, each with its own result and stream", async () => {
  const numbers = Array.from({ length: 40 }, (_, index) => index);
  const texts = await Promise.all(
    numbers.map(async (number) => {
      let streamed = "";
      const result = await client.run(
        "bash",
        { script: `echo ${number}` },
        {
          onMessage: ({ text }) => {
            streamed += text;
          },
        },
      );
      return [result.streams?.[0], streamed];
    }),
  );

  expect(texts).toEqual(numbers.map((number) => [`${number}\n`, `${number}\n`]));
});

test("hands on messages with their levels until the last one", async () => {
  const levels: [number, string, boolean][] = [];
  await client.run(
    "bash",
    { script: "echo a; sleep 0.2; echo b >&2; sleep 0.2; exit 2" },
    { onMessage: ({ level, text, isLast }) => void levels.push([level, text, isLast]) },
  );

  expect(levels).toEqual([
    [1, "a\n", false],
    [2, "b\n", false],
    [2, "", true],
  ]);
});

test("does not wait for messages of a job that never ran", async () => {
  const messages: string[] = [];
  const result = await client.run(
    "core.system",
    { name: "no-such-program" },
    { onMessage: ({ text }) => void messages.push(text) },
  );

  expect(result).toMatchObject({ state: "ERROR", code: 404 });
  // Its stream holds the end, which has no text.
  expect(messages.join("")).toBe("");
});

test("returns the first result for an id that is used again", async () => {
  const first = await client.run("bash", { script: "echo 1" }, { id: "again" });
  const second = await client.run("bash", { script: "echo 2" }, { id: "again" });

  expect(second).toEqual(first);
});

test("gives the value of a command, directly", async () => {
  expect(await client.value("core.ping")).toMatch(/^PONG/);
  expect(await client.call("info.os")).toMatchObject({ state: "SUCCESS", level: 20 });
});

test("throws the state and code of a direct command that failed", async () => {
  await expect(client.call("bash", { script: "echo no >&2; exit 9" })).rejects.toMatchObject({
    code: "E_JOB_FAILED",
    state: "ERROR",
    jobCode: 1009,
    command: "bash",
    message: expect.stringContaining("no"),
  });
});

test("refuses a direct command the node does not know", async () => {
  await expect(client.call("no.such")).rejects.toMatchObject({ code: "E_REFUSED" });
});

test("stops waiting at a time limit; the job goes on and can be waited for again", async () => {
  const id = "slow";
  const running = client.run("bash", { script: "sleep 1; echo late" }, { id, timeoutMs: 200 });

  await expect(running).rejects.toMatchObject({ code: "E_DEADLINE", fields: { id } });
  expect(await client.wait(id)).toMatchObject({ streams: ["late\n", ""] });
});

test("stops waiting when the caller says so; the client stays usable", async () => {
  const caller = new AbortController();
  const running = client.run(
    "bash",
    { script: "echo go; exec sleep 60" },
    { id: "aborted", signal: caller.signal, onMessage: () => caller.abort() },
  );

  await expect(running).rejects.toMatchObject({ code: "E_ABORTED", fields: { id: "aborted" } });
  expect(await client.peek("aborted")).toBeNull();
  expect(await client.kill("aborted", 9)).toBe(true);
  expect(await client.wait("aborted")).toMatchObject({ state: "ERROR", code: 999 });
});

test("fails at once for a job nobody knows", async () => {
  await expect(client.wait("unknown")).rejects.toMatchObject({ code: "E_JOB_UNKNOWN" });
});

test("gives up on a server that accepts connections and stays silent", async () => {
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as { port: number };
  const connecting = connect({ port, timeoutMs: 300 });

  await expect(connecting).rejects.toMatchObject({
    code: "E_CONNECT",
    fields: { reason: "ETIMEDOUT" },
  });
  silent.close();
});

test("learns the end of a job whose agent was killed meanwhile", async () => {
  const other = new HostAgent();
  await other.start();
  const own = await connect({ port: other.port, passwordFile: other.passwordFile });
  try {
    const started = Promise.withResolvers<void>();
    const running = own.run(
      "bash",
      { script: "echo go; exec sleep 60" },
      { onMessage: () => started.resolve() },
    );
    await started.promise;
    await other.crash();
    await other.start();

    expect(await running).toMatchObject({ command: "bash", state: "ERROR" });
  } finally {
    own.close();
    await other.stop();
  }
});

test("submits only once when the connection breaks after the push", async () => {
  // Passes everything on to the agent, and cuts the line when the answer to the push comes back.
  const proxy = createServer();
  let pushes = 0;
  proxy.on("connection", (near) => {
    const far = dial(agent.port, "127.0.0.1");
    let isCut = false;
    near.on("data", (bytes) => {
      if (bytes.toString("latin1").toUpperCase().includes("RPUSH")) {
        pushes += 1;
        isCut = true;
      }
      far.write(bytes);
    });
    far.on("data", (bytes) => (isCut ? near.destroy() : near.write(bytes)));
    near.on("close", () => far.destroy());
    near.on("error", () => undefined);
    far.on("error", () => undefined);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as { port: number };
  const cut = await connect({ port, passwordFile: agent.passwordFile });

  expect(await cut.run("bash", { script: "echo once" })).toMatchObject({
    streams: ["once\n", ""],
  });
  expect(pushes).toBe(1);
  cut.close();
  proxy.close();
});
