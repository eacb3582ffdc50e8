import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../../src/cli/cli.ts";
import { FakeIo } from "../unit/cli/fake-io.ts";
import { HostAgent, NODE0, outcome } from "./cli-agent.ts";

const agent = new HostAgent();
const cli = (...words: string[]) => agent.cli(words);
const sh = (script: string) => ["--", "sh", "-c", script];

beforeAll(() => agent.start());
afterAll(() => agent.stop());

/** Commands of the running jobs of `core.system`, as the node sees them. */
async function runningJobs(): Promise<string[]> {
  const { out } = await cli("jobs", "-o", "json");
  const jobs = JSON.parse(out) as { cmd: { id: string; command: string } }[];
  return jobs.filter(({ cmd }) => cmd.command === "core.system").map(({ cmd }) => cmd.id);
}

test("pings the machine", async () => {
  const { code, out, err } = await cli("ping");

  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/^PONG .* from 127\.0\.0\.1:\d+ in [\d.]+ ms\n$/);
});

test("says in one line that a password is wrong or missing", async () => {
  const file = join(agent.directory, "wrong");
  writeFileSync(file, "battery staple\n");
  const connect = async (...words: string[]) => {
    const io = new FakeIo();
    const code = await runCli([...words, "--port", String(agent.port), "ping"], io);
    return { code, err: io.err };
  };
  const where = `Cannot log in to 127.0.0.1:${agent.port}`;

  expect(await connect("--password-file", file)).toEqual({
    code: 1,
    err: `node0: ${where}: wrong password; the password file holds another machine's password\n`,
  });
  expect(await connect()).toEqual({
    code: 1,
    err: `node0: ${where}: no password given; name the password file with --password-file\n`,
  });
});

test("says in one line that nobody listens", async () => {
  const io = new FakeIo();

  expect(await runCli(["--host", "127.0.0.1", "--port", "1", "ping"], io)).toBe(1);
  expect(io.err).toMatch(/^node0: Cannot connect to 127\.0\.0\.1:1: connection refused; .*\n$/);
});

test("talks to the agent through its unix socket without a password", async () => {
  const io = new FakeIo();
  const socket = join(agent.directory, "state/redis.sock");

  expect(await runCli(["--socket", socket, "ping"], io)).toBe(0);
  expect(io.out).toContain(socket);
});

test("finds the machine by the context file of the directory", async () => {
  const directory = join(agent.directory, "project/.node0");
  mkdirSync(directory, { recursive: true });
  const context = { host: "127.0.0.1", port: agent.port, passwordFile: "../../password" };
  writeFileSync(join(directory, "context.json"), JSON.stringify(context));
  const io = new FakeIo();
  io.cwd = join(agent.directory, "project");

  expect(await runCli(["ping"], io)).toBe(0);
  expect(await runCli(["context", "-o", "json"], io)).toBe(0);
  expect(io.out).toContain(agent.passwordFile);
  expect(io.out).not.toContain("correct horse");
});

test("writes standard output and standard error apart and ends like the program", async () => {
  const script = "echo out; echo err >&2; exit 3";

  const expected = { code: 3, out: "out\n", err: "err\n" };
  expect(await cli("run", ...sh(script))).toEqual(expected);
  expect(await cli("run", "--no-stream", ...sh(script))).toEqual(expected);
});

test("shows output while the program still runs", async () => {
  const gate = join(agent.directory, "gate");
  await cli("run", "--", "mkfifo", gate);
  const child = agent.spawn("run", ...sh(`echo before; read answer < ${gate}; echo $answer`));
  const ended = outcome(child);
  const [first] = await once(child.stdout, "data");
  writeFileSync(gate, "after\n");

  expect(String(first)).toBe("before\n");
  expect(await ended).toEqual({ code: 0, out: "before\nafter\n", err: "" });
});

test("passes everything a long output holds, in order", async () => {
  const { out, code } = await cli("run", "--", "seq", "1", "300000");

  expect(code).toBe(0);
  const expected = Array.from({ length: 300_000 }, (_, index) => `${index + 1}\n`).join("");
  expect(out === expected).toBe(true);
});

test("passes input, environment and directory on", async () => {
  const words = ["run", "--stdin", "-", "--env", "X=a b", "-e", "Y=", "--dir", "/etc"];
  const { out } = await agent.cli([...words, ...sh('cat; pwd; echo "$X|$Y"')], "in\n");

  expect(out).toBe("in\n/etc\na b|\n");
});

test("refuses input that is not text before it starts anything", async () => {
  const file = join(agent.directory, "binary");
  writeFileSync(file, Buffer.from([0xff, 0xfe]));
  const { code, err } = await cli("run", "--stdin", file, "--", "cat");

  expect(code).toBe(1);
  expect(err).toContain("not UTF-8");
});

test.each<[string, string[], number, string]>([
  ["a missing program", ["--", "no-such-program"], 127, "no-such-program"],
  ["a missing directory", ["--dir", "/no/such", "--", "true"], 126, "/no/such"],
  ["a time limit", ["--max-time", "1", "--", "sleep", "30"], 124, "time limit"],
  ["a signal", sh("kill -9 $$"), 137, "signal"],
])("explains the end by %s on standard error", async (_name, words, code, text) => {
  const result = await cli("run", ...words);

  expect(result).toMatchObject({ code, out: "" });
  expect(result.err).toContain(text);
});

test("prints the whole result object when JSON is asked for", async () => {
  const words = ["run", "-o", "json", "--tag", "a", "--tag", "b", "--id", "json-1"];
  const { code, out } = await cli(...words, ...sh("echo x; exit 4"));

  expect(code).toBe(4);
  expect(JSON.parse(out)).toMatchObject({
    id: "json-1",
    state: "ERROR",
    code: 1004,
    streams: ["x\n", ""],
    tags: ["a", "b"],
  });
});

test("starts a job without waiting, lists it, kills it and shows its result", async () => {
  expect(await cli("run", "--detach", "--id", "long-1", "--", "sleep", "60")).toEqual({
    code: 0,
    out: "long-1\n",
    err: "",
  });
  expect((await cli("jobs")).out).toMatch(/^long-1 +core\.system +\d+ .* sleep 60$/m);
  expect(await cli("result", "--no-wait", "long-1")).toMatchObject({ code: 1 });
  expect(await cli("kill", "long-1", "--signal", "KILL")).toEqual({ code: 0, out: "", err: "" });
  expect(await cli("result", "long-1")).toMatchObject({ code: 137 });
  expect(await cli("kill", "long-1")).toMatchObject({ code: 1 });
});

test("does not wait for a job nobody knows", async () => {
  const { code, err } = await cli("result", "nobody-knows");

  expect(code).toBe(1);
  expect(err).toContain("the node does not know it");
});

test("runs the jobs of a queue one after the other", async () => {
  const file = join(agent.directory, "order");
  const job = (script: string) => ["--queue", "q", ...sh(`${script} >> ${file}`)];
  await cli("run", "--detach", ...job("sleep 0.3; echo 1"));

  expect(await cli("run", ...job("echo 2"))).toMatchObject({ code: 0 });
  expect((await cli("run", "--", "cat", file)).out).toBe("1\n2\n");
});

test("Ctrl-C ends the job on the machine and the tool with 130", async () => {
  const child = agent.spawn("run", "--id", "ctrl-c", ...sh("echo go; exec sleep 60"));
  const ended = outcome(child);
  await once(child.stdout, "data");
  child.kill("SIGINT");

  expect(await ended).toMatchObject({ code: 130 });
  expect(await runningJobs()).not.toContain("ctrl-c");
});

test("kills a job that ignores Ctrl-C", async () => {
  const script = "trap '' INT TERM; echo go; while :; do sleep 60; done";
  const child = agent.spawn("run", "--id", "stubborn", ...sh(script));
  const ended = outcome(child);
  await once(child.stdout, "data");
  child.kill("SIGINT");

  expect(await ended).toMatchObject({ code: 130 });
  expect(await runningJobs()).not.toContain("stubborn");
});

test("ends the job when nobody reads its output any more", async () => {
  const child = agent.spawn("run", "--id", "piped", "--", "yes");
  const ended = once(child, "exit");
  await once(child.stdout, "data");
  child.stdout.destroy();

  expect((await ended)[0]).toBe(141);
  expect(await runningJobs()).not.toContain("piped");
});

test("leaves a job running when the tool stops waiting, and says how to find it", async () => {
  const words = ["run", "--timeout", "0.5", "--id", "patient", "--", "sleep", "60"];
  const { code, err } = await cli(...words);

  expect(code).toBe(1);
  expect(err).toContain("node0 result patient");
  expect(await runningJobs()).toContain("patient");
  await cli("kill", "patient");
});

test.each(["cpu", "mem", "disk", "nic", "os", "port", "version"])(
  "shows info %s as a table, JSON and YAML",
  async (topic) => {
    const [table, json, yaml] = await Promise.all([
      cli("info", topic),
      cli("info", topic, "-o", "json"),
      cli("info", topic, "-o", "yaml"),
    ]);

    expect([table.code, json.code, yaml.code]).toEqual([0, 0, 0]);
    expect(table.out).not.toContain("undefined");
    expect(table.out).not.toContain("[object");
    expect(typeof JSON.parse(json.out)).toBe("object");
    expect(yaml.out.split("\n").length).toBeGreaterThan(3);
  },
);

test("shows an overview and a status of a host", async () => {
  const info = await cli("info");
  const status = await cli("status");

  expect(info.out).toMatch(/^memory +.* available of .*$/m);
  expect(status.out).toMatch(/^boot +none: the agent runs on a host$/m);
  expect(info.out + status.out).not.toMatch(/undefined|NaN/);
});

test("calls any command with arguments from the line or from standard input", async () => {
  const args = '{"script":"echo from-bash"}';

  expect(await cli("call", "bash", args)).toMatchObject({ code: 0, out: "from-bash\n" });
  expect(await agent.cli(["call", "bash", "-"], args)).toMatchObject({ out: "from-bash\n" });
  expect(JSON.parse((await cli("call", "info.mem")).out)).toHaveProperty("total");
  expect((await cli("call", "info.mem", "-o", "table")).out).toMatch(/^total +\d+$/m);
  expect(JSON.parse((await cli("call", "--full", "bash", args)).out)).toMatchObject({
    state: "SUCCESS",
    streams: ["from-bash\n", ""],
  });
});

test("ends a call like its job", async () => {
  expect(await cli("call", "no.such")).toMatchObject({ code: 127, out: "" });
  expect(await cli("call", "bash", '{"script":"exit 5"}')).toMatchObject({ code: 5 });
  expect((await cli("call", "process.kill", '{"pid":"x"}')).err).toContain("process.kill failed");
});

test("does nothing without a yes", async () => {
  const io = new FakeIo();
  io.isInteractive = true;
  const words = ["--port", String(agent.port), "--password-file", agent.passwordFile, "poweroff"];

  expect(await runCli(words, io)).toBe(1);
  expect(await cli("poweroff")).toMatchObject({
    code: 1,
    err: expect.stringContaining("no terminal, use --yes"),
  });
  expect(await cli("ping")).toMatchObject({ code: 0 });
});

test.each(["poweroff", "reboot"])("says that a host cannot be ordered to %s", async (command) => {
  const { code, err } = await cli(command, "--yes");

  expect(code).toBe(1);
  expect(err).toContain("code 406");
});

test("keeps the password out of the process list", async () => {
  const child = agent.spawn("run", ...sh(`cat /proc/*/cmdline | tr '\\0' '\\n'`));
  const { out } = await outcome(child);

  expect(out).toContain(NODE0.split("/").at(-1));
  expect(out).not.toContain("correct horse");
});
