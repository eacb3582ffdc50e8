import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AgentStartup } from "../../../src/agent-startup.ts";
import { AgentError } from "../../../src/base/errors.ts";
import { DEFAULT_NODE_CONFIG } from "../../../src/config/node-config.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";
import { setUp as setUpEngine } from "../job/harness.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "node0-agent-startup-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function setUp(options: { isHost?: boolean; include?: string[] } = {}) {
  const { engine, spawner } = setUpEngine();
  const commands: string[] = [];
  const problems: string[] = [];
  const main = { ...DEFAULT_NODE_CONFIG.main, include: options.include ?? [] };
  const startup = new AgentStartup({
    core: {
      engine,
      log: new QuietLog(),
      config: { ...DEFAULT_NODE_CONFIG, main },
      addCommand: ({ name }) => {
        if (name === "taken") throw new AgentError("E_COMMAND_TWICE", "it is known");
        commands.push(name);
      },
    },
    configFile: join(directory, "node0.toml"),
    isHost: options.isHost ?? false,
    unlockedDirectory: join(directory, "unlocked"),
  });
  startup.onProblem((problem) => problems.push(problem));
  const run = (milestone: "init" | "net" | "boot") =>
    startup.run(milestone, { signal: new AbortController().signal, setReason: () => {} });
  const started = () => spawner.processes.map(({ request }) => request.argv[0]);
  return { startup, commands, problems, run, started };
}

function write(name: string, text: string): void {
  mkdirSync(join(directory, name, ".."), { recursive: true });
  writeFileSync(join(directory, name), text);
}

/** A service that counts as running when it was not even found: it ends at once. */
const service = (id: string, after: string): string =>
  `[startup.${id}]\nname = "value"\nafter = ["${after}"]\n`;

test("without configuration nothing is started, and nothing is wrong", async () => {
  const { startup } = setUp();
  expect(await startup.load()).toEqual([]);
  const skipped = (["init", "net", "boot"] as const).map((milestone) => startup.skip(milestone));
  expect(new Set(skipped)).toEqual(new Set(["no start-up services configured"]));
});

test("conf.d beside the configuration is read, and what is included", async () => {
  write("conf.d/a.toml", service("a", "init"));
  write("more/b.toml", `${service("b", "boot")}[extension.own]\nbinary = "x"\n`);
  const { startup, commands, run } = setUp({ include: [join(directory, "more"), "/no/such"] });
  expect(await startup.load()).toEqual(["Cannot read /no/such: ENOENT"]);
  expect(commands).toEqual(["own"]);
  expect(startup.skip("init")).toBeUndefined();
  expect(startup.skip("net")).toBeUndefined();
  expect(await run("init")).toBe("running: a");
  expect(startup.skip("net")).toBe("no start-up services configured");
  expect(await run("boot")).toBe("running: b");
});

test("private files are read once, when there is a private configuration", async () => {
  write("conf.d/a.toml", service("a", "init"));
  const { startup, commands, problems, run } = setUp();
  await startup.load();
  await run("init");
  write(
    "unlocked/p.toml",
    `${service("p", "init")}${service("q", "a")}${service("a", "boot")}[extension.taken]\nbinary = "x"\n[extension.secret]\nbinary = "x"\n`,
  );
  expect(startup.skip("net")).toBeUndefined();
  expect(await run("net")).toBe("running: p, q");
  expect(commands).toEqual(["secret"]);
  expect(problems).toEqual([
    "Cannot use extension taken of /mnt/etc/conf.d/p.toml:10: it is known",
    "Cannot start service a of /mnt/etc/conf.d/p.toml:7: one of this name was started",
  ]);
  expect(startup.skip("boot")).toBe("no start-up services configured");
});

test("private files without services for the time are no failure", async () => {
  write("unlocked/p.toml", service("p", "boot"));
  const { startup, run } = setUp();
  await startup.load();
  expect(startup.skip("init")).toBe("no start-up services configured");
  expect(await run("net")).toBe("no start-up services configured");
  expect(await run("boot")).toBe("running: p");
});

test("a host has no private configuration, and starts all groups at once", async () => {
  write("unlocked/p.toml", service("p", "boot"));
  write("conf.d/a.toml", `${service("c", "boot")}${service("a", "init")}${service("b", "net")}`);
  const { startup } = setUp({ isHost: true });
  await startup.load();
  await startup.runAll();
  for (const milestone of ["init", "net", "boot"] as const) {
    expect(startup.skip(milestone)).toBe("no start-up services configured");
  }
});
