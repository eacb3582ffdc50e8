import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EndpointLab, PASSWORD } from "./support/endpoint.ts";

/** Where `scripts/setup` puts the Python client library. */
const PYTHON_PACKAGES = resolve(".node0/cache/python");
const run = promisify(execFile);

let lab: EndpointLab;
beforeAll(async () => {
  lab = await EndpointLab.open();
});
afterAll(() => lab.stop());

const job = (id: string): string => JSON.stringify({ id, command: "core.ping", arguments: {} });

describe.each([2, 3] as const)("ioredis with RESP%i", (protocol) => {
  let client: Redis;
  beforeAll(async () => {
    client = new Redis({
      port: lab.port,
      password: PASSWORD,
      protocol,
      lazyConnect: true,
      connectionName: "test",
    });
    await client.connect();
  });
  afterAll(() => client.disconnect());

  test("speaks the version it asked for", async () => {
    expect(await client.client("INFO")).toContain(` resp=${protocol}`);
    expect(await client.client("GETNAME")).toBe("test");
  });

  test("runs a job through the lists", async () => {
    const id = `ioredis-${protocol}`;
    expect(await client.rpush("core:default", job(id))).toBe(1);
    const flag = `result:${id}:flag`;
    expect(await client.brpoplpush(flag, flag, 10)).toBe("");
    const text = await client.brpoplpush(`result:${id}`, `result:${id}`, 10);
    expect(JSON.parse(text ?? "")).toMatchObject({ id, state: "SUCCESS" });
    expect(await client.ttl(flag)).toBe(300);
  });

  test("gets nil when time is up, fractions of seconds too", async () => {
    expect(await client.blpop("none", 0.05)).toBeNull();
    expect(await client.brpoplpush("none", "none", 0.05)).toBeNull();
  });

  test("runs a job as a command of its own and sees its error", async () => {
    const result = await client.call("core.ping", "{}", '{"id":"direct"}');
    expect(JSON.parse(String(result))).toMatchObject({ id: "direct", state: "SUCCESS" });
    await expect(client.call("core.ping", '{"fail":true}')).rejects.toThrow(
      /^JOBERR 500 ERROR core.ping [0-9a-f-]{36}: bad <thing> second$/,
    );
  });

  test("pipelines", async () => {
    const pipeline = client.pipeline();
    for (let index = 0; index < 500; index += 1) pipeline.rpush("pipeline", String(index));
    pipeline.del("pipeline");
    const replies = await pipeline.exec();
    expect(replies?.map(([, value]) => value)).toEqual([
      ...Array.from({ length: 500 }, (_, index) => index + 1),
      1,
    ]);
  });

  test("reads nested replies", async () => {
    const docs: unknown = await client.call("COMMAND", "DOCS", "core.ping");
    expect(JSON.stringify(docs)).toContain("summary");
    expect(await client.scan(0, "COUNT", 1000)).toHaveLength(2);
  });
});

describe("redis-cli", () => {
  const cli = async (...words: string[]): Promise<string> => {
    const options = { env: { ...process.env, REDISCLI_AUTH: PASSWORD } };
    const { stdout } = await run("redis-cli", ["-p", String(lab.port), ...words], options);
    return stdout.trimEnd();
  };

  test.each([[[]], [["-3"]]])("with options %j runs commands and jobs", async (options) => {
    expect(await cli(...options, "PING")).toBe("PONG");
    expect(await cli(...options, "core.ping", "{}", '{"id":"cli"}')).toContain('"state":"SUCCESS"');
    expect(await cli(...options, "core.ping", "{")).toMatch(/ERR arguments are not JSON: /);
    expect(await cli(...options, "BLPOP", "none", "0.05")).toBe("");
    expect(await cli(...options, "INFO", "server")).toContain("node0_version:0.1.0");
    expect(await cli(...options, "--scan", "--pattern", "result:cli*")).toBe("");
    expect(Number(await cli(...options, "COMMAND", "COUNT"))).toBeGreaterThan(50);
  });

  test("sees what is wrong with the password", async () => {
    const wrong = await run("redis-cli", ["-p", String(lab.port), "PING"], {
      env: { ...process.env, REDISCLI_AUTH: "wrong" },
    });
    expect(wrong.stdout + wrong.stderr).toContain("WRONGPASS");
    expect(wrong.stdout).toContain("NOAUTH Authentication required.");
  });

  test("shows help for data commands and jobs on a terminal", async () => {
    const terminal = spawn("script", ["-qec", `redis-cli -p ${lab.port}`, "/dev/null"], {
      env: { ...process.env, REDISCLI_AUTH: PASSWORD, TERM: "dumb" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    // The end of the input would end the terminal before it has shown anything.
    terminal.stdin.write("help core.ping\nhelp rpush\nquit\n");
    const chunks: Buffer[] = [];
    terminal.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    const [status] = (await once(terminal, "close")) as [number];
    const shown = Buffer.concat(chunks).toString();
    expect(shown).toMatch(/CORE\.PING.*\[arguments\] \[options\]/);
    expect(shown).toMatch(/RPUSH.*key element \[element \.\.\.\]/);
    expect(status).toBe(0);
  });

  test("works over the unix socket without a password", async () => {
    const { stdout } = await run("redis-cli", ["-s", lab.path, "PING"]);
    expect(stdout.trim()).toBe("PONG");
  });
});

describe.skipIf(!existsSync(PYTHON_PACKAGES))(
  "redis-py (needs what scripts/setup installs)",
  () => {
    test.each([2, 3])("with RESP%i runs a job", async (protocol) => {
      const fixture = resolve("test/fixtures/redis-client.py");
      const { stdout } = await run("python3", [fixture, String(lab.port), String(protocol)], {
        env: { ...process.env, PASSWORD, PYTHONPATH: PYTHON_PACKAGES },
      });
      expect(JSON.parse(stdout)).toEqual({
        ping: true,
        known_before: 0,
        flag: "",
        state: "SUCCESS",
        ttl: [300, 300, -2],
        no_element: null,
        no_rotation: null,
        name: "fixture",
        library: "redis-py",
        direct: '"PONG"',
        commands: expect.any(Number) as number,
        version: "7.0.15",
        error: "wrong number of arguments for 'lpush' command",
        refused: "invalid username-password pair or user is disabled.",
      });
    });
  },
);
