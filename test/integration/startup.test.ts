import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { JobResult } from "../../src/job/types.ts";

interface LogLine {
  readonly msg: string;
  readonly service?: string;
  readonly reason?: string;
  readonly problem?: string;
}

let folder: string;
let agent: ChildProcess | undefined;
let client: Redis | undefined;
let log: LogLine[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "node0-startup-"));
  mkdirSync(join(folder, "conf.d"));
  log = [];
});

afterEach(async () => {
  await stop("SIGTERM");
  rmSync(folder, { recursive: true });
});

const at = (name: string): string => join(folder, name);

/** An agent in host mode with these files beside each other. */
async function start(
  files: Readonly<Record<string, string>> = {},
  more: readonly string[] = [],
): Promise<void> {
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
  const words = [
    "agent",
    "--host",
    "--state-dir",
    at("state"),
    "--config",
    at("node0.toml"),
    ...more,
  ];
  const child = spawn(resolve("bin/node0"), words, { stdio: ["ignore", "ignore", "pipe"] });
  agent = child;
  createInterface({ input: child.stderr }).on("line", (line) => {
    log.push(JSON.parse(line) as LogLine);
  });
  await until(() => log.some(({ msg }) => msg === "agent ready"));
  client = new Redis({ path: at("state/redis.sock"), retryStrategy: () => null });
  // The connection ends with the agent, on purpose.
  client.on("error", () => {});
}

async function stop(signal: NodeJS.Signals): Promise<void> {
  client?.disconnect();
  if (agent === undefined || agent.exitCode !== null || agent.signalCode !== null) return;
  const ended = once(agent, "exit");
  agent.kill(signal);
  await ended;
}

async function until(condition: () => boolean): Promise<void> {
  const limit = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > limit) throw new Error(`time is up: ${JSON.stringify(log)}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

const isStarted = (milestone: string) => (): boolean =>
  log.some((line) => line.msg === "services started" && JSON.stringify(line).includes(milestone));

async function call(command: string, args: object = {}): Promise<JobResult> {
  return JSON.parse(String(await client?.call(command, JSON.stringify(args)))) as JobResult;
}

const lines = (name: string): string[] =>
  existsSync(at(name)) ? readFileSync(at(name), "utf8").trimEnd().split("\n") : [];

const isAlive = (pid: string | undefined): boolean =>
  pid !== undefined &&
  existsSync(`/proc/${pid}`) &&
  !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));

/** Adds its pid to `FOLDER/NAME` and stays. */
const daemon = (name: string): string =>
  `args = { name = "sh", args = ["-c", 'echo $$ >>"$0"; echo up; exec sleep 1000', "{folder}/${name}"] }`;

test("services run in their order, protected ones are started again, and a new agent starts all once", async () => {
  const files = {
    "node0.toml": `[globals]\nfolder = "${folder}"\n`,
    "conf.d/a.toml": `
      [startup.second]
      name = "core.system"
      after = ["first"]
      protected = true
      running_match = "^up$"
      ${daemon("second")}
      [startup.first]
      name = "bash"
      after = ["init"]
      running_delay = -1
      args = { script = "sleep 0.2; echo $(wc -l <{folder}/second 2>/dev/null) >>{folder}/first" }
      [startup.third]
      name = "core.system"
      after = ["second"]
      running_match = "up"
      ${daemon("third")}
    `,
  };
  await start(files);
  await until(isStarted("init"));
  expect(
    log.filter(({ msg }) => msg === "service is running").map(({ service }) => service),
  ).toEqual(["first", "second", "third"]);
  // The first one saw nothing of the second one.
  expect(lines("first")).toEqual([""]);
  const [died] = lines("second");
  process.kill(Number(died), "SIGKILL");
  await until(() => lines("second").length === 2);
  const rows = JSON.parse((await call("job.list")).data) as { cmd: { id: string }; pid: number }[];
  const known = rows.map(({ cmd, pid }) => [cmd.id, String(pid)]);
  expect(known).toContainEqual(["second", lines("second")[1]]);
  expect(known).toContainEqual(["third", lines("third")[0]]);

  const before = [lines("second")[1], lines("third")[0]];
  log = [];
  await stop("SIGKILL");
  expect(before.map(isAlive)).toEqual([true, true]);
  await start();
  await until(isStarted("init"));
  await until(() => !before.some(isAlive));
  expect([lines("first").length, lines("second").length, lines("third").length]).toEqual([2, 3, 2]);
  const now = [lines("second")[2], lines("third")[1]];
  expect(now.map(isAlive)).toEqual([true, true]);
  await stop("SIGTERM");
  await until(() => !now.some(isAlive));
});

test("the log has the level of the configuration", async () => {
  await start({ "node0.toml": '[main]\nlog_level = "debug"\n' });
  await client?.rpush("core:default", '{"command":"core.ping"}');
  await until(() => log.some(({ msg }) => msg === "command dropped: it has no id"));
});

test("mistakes are told with file and line, everything else works", async () => {
  await start({
    "node0.toml": `[main]\ninclude = ["${at("more")}"]\n[extension.ping]\nbinary = "true"\n[extension.own]\nbinary = "echo"\nargs = ["{a}"]\n`,
    more: '[startup.ok]\nname = "own"\nargs = { a = "$(id)" }\n[extension."core.ping"]\nbinary = "x"\n[startup.odd]\nafter = 3\n',
    "conf.d/broken.toml": "[startup",
    "conf.d/x.toml": '[extension.EcHo]\nbinary = "true"\n[extension.own]\nbinary = "false"\n',
  });
  await until(isStarted("boot"));
  const problems = log.flatMap(({ problem }) => problem?.replaceAll(folder, "") ?? []);
  expect(problems).toEqual([
    "Cannot use extension ping of /node0.toml: Cannot register ping: it is known",
    expect.stringMatching(/^Cannot read \/conf.d\/broken.toml:1: /),
    "Cannot use startup.odd.after in /more:7: 3 seen, expected an array of init, net, boot and names of services",
    "Cannot use extension EcHo of /conf.d/x.toml:1: Cannot register EcHo: it is known",
    "Cannot use extension own of /conf.d/x.toml:3: Cannot register own: it is known",
    "Cannot use extension core.ping of /more:4: Cannot register core.ping: it is known",
  ]);
  expect(log).toContainEqual(expect.objectContaining({ service: "ok", msg: "service is running" }));
  expect((await call("own", { a: "it's $(id)" })).streams).toEqual(["it's $(id)\n", ""]);
  expect((await call("core.ping")).data).toMatch(/PONG/);
  expect(await client?.ping()).toBe("PONG");
  expect(JSON.stringify(await client?.call("COMMAND", "DOCS", "own"))).toContain("Put for {a}");
});

test("an extension is for those its access names, whichever way it is called", async () => {
  const port = await freePort();
  const roles = ["reader", "operator", "admin"];
  await start(
    {
      "node0.toml": `[endpoint]\nusers = "${at("users.toml")}"\n`,
      "users.toml": roles
        .map((role) => `[user.${role}]\nrole = "${role}"\npassword = "password of ${role}"\n`)
        .join(""),
      "conf.d/x.toml": ["read", "operate", "admin"]
        .map((access) => `[extension.x-${access}]\nbinary = "true"\naccess = "${access}"\n`)
        .join(""),
      password: "the password of the node\n",
    },
    ["--listen", `127.0.0.1:${port}`, "--password-file", at("password")],
  );
  const seen: Record<string, string> = {};
  for (const role of roles) {
    const user = new Redis({ port, username: role, password: `password of ${role}` });
    for (const name of ["x-read", "x-operate", "x-admin"]) {
      const job = JSON.stringify({ id: randomUUID(), command: name, arguments: {} });
      const ways = [() => user.call(name), () => user.rpush("core:default", job)];
      const outcomes = await Promise.all(
        ways.map((way) =>
          way().then(
            () => "runs",
            (error: unknown) => (error as Error).message.split(" ")[0],
          ),
        ),
      );
      seen[`${role} ${name}`] = outcomes.join(" ");
    }
    user.disconnect();
  }
  expect(seen).toEqual({
    "reader x-read": "runs runs",
    "reader x-operate": "NOPERM NOPERM",
    "reader x-admin": "NOPERM NOPERM",
    "operator x-read": "runs runs",
    "operator x-operate": "runs runs",
    "operator x-admin": "NOPERM NOPERM",
    "admin x-read": "runs runs",
    "admin x-operate": "runs runs",
    "admin x-admin": "runs runs",
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
