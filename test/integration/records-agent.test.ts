import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

const NODE0 = join(import.meta.dirname, "../../bin/node0");

/** An agent on this host with a configuration of its own, and a client of it. */
class Agent {
  readonly directory = mkdtempSync(join(tmpdir(), "node0-records-"));
  #process: ChildProcess | undefined;
  #redis: Redis | undefined;

  async start(config: string): Promise<this> {
    const programs = join(this.directory, "bin");
    execFileSync("mkdir", [programs]);
    writeFileSync(join(this.directory, "config"), config);
    const args = ["--state-dir", this.directory, "--config", join(this.directory, "config")];
    const child = spawn(NODE0, ["agent", "--host", ...args], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, PATH: `${programs}:${process.env["PATH"]}` },
    });
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr }).on("line", (line) => {
        if (line.includes('"agent ready"')) resolve();
      });
      child.once("exit", (code) => reject(new Error(`the agent ended with ${code}`)));
    });
    this.#redis = new Redis({ path: join(this.directory, "redis.sock") });
    return this;
  }

  get redis(): Redis {
    if (this.#redis === undefined) throw new Error("the agent was not started");
    return this.#redis;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Runs a command and returns its result; its failure is thrown. */
  async run(command: string, args: unknown = {}, options: unknown = {}): Promise<unknown> {
    const reply = await this.redis.call(command, JSON.stringify(args), JSON.stringify(options));
    const { data } = JSON.parse(String(reply));
    return data === "" ? undefined : JSON.parse(data);
  }

  async stop(): Promise<void> {
    this.#redis?.disconnect();
    const child = this.#process;
    if (child !== undefined && child.exitCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    rmSync(this.directory, { recursive: true });
  }
}

interface State {
  readonly op: string;
  readonly last_value: number;
  readonly tags: { key: string; value: string }[];
}

let agent: Agent;

beforeAll(async () => {
  agent = await new Agent().start("[logging.file]\nlevels = [2, 9]\n[logging.ledis]\nsize = 10\n");
});

afterAll(() => agent.stop());

const query = async (key: string, tags = {}) =>
  (await agent.run("aggregator.query", { key, tags })) as Record<string, State>;

describe("log records", () => {
  test("go to the lists of subscribers and to the file", async () => {
    await agent.run("bash", { script: "echo before" }, { id: "before" });
    expect(await agent.run("logger.subscribe", { queue: "q", levels: [1, 2] })).toBe("logger:q");
    await agent.run("bash", { script: "echo out; echo err >&2; echo 9::bad" }, { id: "after" });
    const records = (await agent.redis.lrange("logger:q", 0, -1)).map((text) => JSON.parse(text));
    const shown = records.map(({ command, message }) => [command, message.message, message.meta]);
    expect(shown).toContainEqual(["before", "before\n", 0x1_0000]);
    expect(shown).toContainEqual(["after", "out\n", 0x1_0000]);
    expect(shown).toContainEqual(["after", "err\n", 0x2_0000]);
    expect(shown).toContainEqual(["after", "", 0x1_0002]);
    expect(shown.map(([, text]) => text)).not.toContain("bad\n");
    await vi.waitUntil(() => readFileSync(agent.path("jobs.log"), "utf8").includes("bad"));
    const lines = readFileSync(agent.path("jobs.log"), "utf8").trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).message).sort()).toStrictEqual(["bad\n", "err\n"]);
  });

  test("lists keep what the configuration says", async () => {
    await agent.run("logger.subscribe", { queue: "short" });
    for (let count = 0; count < 15; count += 1) await agent.run("core.ping");
    expect(await agent.redis.llen("logger:short")).toBe(10);
    expect(await agent.redis.ttl("logger:short")).toBe(-1);
    await agent.run("logger.unsubscribe", { queue: "logger:short" });
    const before = await agent.redis.lrange("logger:short", 0, -1);
    await agent.run("core.ping");
    expect(await agent.redis.lrange("logger:short", 0, -1)).toStrictEqual(before);
  });

  test("the file is begun anew", async () => {
    await agent.run("logger.reopen");
    const old = readdirSync(agent.directory).filter((name) => name.startsWith("jobs.log."));
    expect(old).toHaveLength(1);
    expect(statSync(agent.path("jobs.log")).size).toBe(0);
  });

  test.each([
    ["logger.unsubscribe", { queue: "" }, "empty queue"],
    ["logger.set_level", { level: "loud" }, "expected one of CRITICAL"],
    ["logger.set_level", {}, "expected one of CRITICAL"],
    ["logger.subscribe", { levels: ["x"] }, "expected an integer"],
    ["monitor", { domain: "weather" }, "expected one of disk, cpu, memory, network"],
  ])("%s %j fails with code 500", async (command, args, text) => {
    const failure = await agent.run(command, args).catch(String);
    expect(failure).toContain("JOBERR 500");
    expect(failure).toContain(text);
  });

  test.each(["debug", "Info", "CRITICAL"])("the level %s is taken", async (level) => {
    expect(await agent.run("logger.set_level", { level })).toBeNull();
  });
});

describe("statistics", () => {
  test("lines of jobs add up, whatever is in them", async () => {
    const script = "echo '10::t.m:4|A|id=a,x=1'; echo 10::nonsense; echo '10::t.m:5|A|id=b'";
    await agent.run("bash", { script });
    const states = await query("t.m");
    expect(Object.keys(states).sort()).toStrictEqual(["t.m/a", "t.m/b"]);
    expect(states["t.m/a"]).toMatchObject({
      op: "A",
      last_value: 4,
      tags: [
        { key: "id", value: "a" },
        { key: "x", value: "1" },
      ],
    });
  });

  test("processors, memory, disks and links are those of this machine", async () => {
    const before = performance.now();
    await agent.run("monitor", { domain: "CPU" });
    expect(performance.now() - before).toBeGreaterThan(900);
    for (const domain of ["memory", "disk", "network"]) await agent.run("monitor", { domain });
    const number = (program: string, ...args: string[]) =>
      Number(execFileSync(program, args, { encoding: "utf8" }));
    const cpus = Object.keys(await query("machine.CPU.percent"));
    expect(cpus).toHaveLength(number("getconf", "_NPROCESSORS_ONLN"));
    expect(Object.keys(await query("machine.CPU.utilisation"))).toHaveLength(cpus.length);
    for (const metric of ["machine.CPU.contextswitch", "machine.CPU.interrupts"]) {
      expect((await query(metric))[metric]?.last_value).toBeGreaterThan(0);
    }
    const threads = (await query("machine.process.threads"))["machine.process.threads"];
    expect(threads?.last_value).toBeGreaterThan(10);
    const free = execFileSync("free", ["-m"], { encoding: "utf8" });
    const available = Number(/^Mem:.* (\d+)$/m.exec(free)?.[1]);
    const memory = (await query("machine.memory.ram.available"))["machine.memory.ram.available"];
    expect(Math.abs((memory?.last_value ?? 0) - available)).toBeLessThan(1024);
    const links = JSON.parse(execFileSync("ip", ["-j", "-d", "link"], { encoding: "utf8" })) as {
      ifname: string;
      linkinfo?: { info_kind?: string };
    }[];
    const watched = links
      .filter(({ ifname, linkinfo }) => ifname !== "lo" && linkinfo?.info_kind === undefined)
      .map(({ ifname }) => ifname);
    const packets = await query("network.packets.rx", { kind: "device", type: "phys" });
    const seen = Object.keys(packets).map((name) => name.slice("network.packets.rx/".length));
    expect(seen.sort()).toStrictEqual(watched.sort());
  });

  test("a disk has the counters of the kernel and the size that df shows", async () => {
    const [image, mounted] = [agent.path("disk.img"), agent.path("mounted")];
    execFileSync("truncate", ["-s", "32M", image]);
    execFileSync("mkfs.ext4", ["-q", image]);
    const text = (program: string, ...args: string[]) =>
      execFileSync(program, args, { encoding: "utf8" }).trim();
    const device = text("losetup", "--find", "--show", image);
    try {
      execFileSync("mkdir", [mounted]);
      execFileSync("mount", [device, mounted]);
      writeFileSync(join(mounted, "file"), Buffer.alloc(5_000_000, "x"));
      execFileSync("sync", ["-f", mounted]);
      await agent.run("monitor", { domain: "disk" });
      const id = device.slice("/dev/".length);
      const value = async (metric: string, tags = {}) =>
        (await query(metric, { id, type: "phys", ...tags }))[`${metric}/${id}`]?.last_value;
      const [reads, , readSectors, , writes, , writtenSectors] = text(
        "cat",
        `/sys/block/${id}/stat`,
      )
        .split(/\s+/)
        .map(Number);
      expect(await value("disk.iops.read")).toBe(reads);
      expect(await value("disk.iops.write")).toBe(writes);
      expect(await value("disk.throughput.read")).toBe((readSectors ?? 0) / 2);
      expect(await value("disk.throughput.write")).toBe((writtenSectors ?? 0) / 2);
      expect((writtenSectors ?? 0) / 2).toBeGreaterThan(4800);
      const [size, free] =
        text("df", "-B1", "--output=size,avail", mounted)
          .split("\n")
          .at(-1)
          ?.trim()
          .split(/\s+/)
          .map(Number) ?? [];
      expect(await value("disk.size.total", { fs: "ext4" })).toBe(size);
      expect(await value("disk.size.free", { fs: "ext4" })).toBe(free);
    } finally {
      execFileSync("umount", ["-lq", mounted]);
      execFileSync("losetup", ["-d", device]);
    }
  });

  test("a bridge and the link of a container that is watched have those of ip", async () => {
    // Names nobody else uses, at most 15 characters.
    const [bridge, watched, other] = ["n0rec-br", "contm9999-0", "n0rec-veth"];
    const ip = (...args: string[]) => execFileSync("ip", args, { encoding: "utf8" });
    ip("link", "add", bridge, "type", "bridge");
    try {
      ip("link", "add", watched, "type", "veth", "peer", "name", other);
      ip("link", "set", watched, "up");
      ip("link", "set", other, "up");
      const packets = () =>
        JSON.parse(ip("-j", "-s", "link", "show", watched))[0].stats64.tx.packets as number;
      await vi.waitUntil(() => packets() > 0, { timeout: 10_000 });
      const before = packets();
      await agent.run("monitor", { domain: "network" });
      const after = packets();
      const states = await query("network.packets.tx", { kind: "veth" });
      expect(Object.keys(states)).toStrictEqual([`network.packets.tx/${watched}`]);
      const seen = states[`network.packets.tx/${watched}`]?.last_value;
      expect(seen).toBeGreaterThanOrEqual(before);
      expect(seen).toBeLessThanOrEqual(after);
      expect(Object.keys(await query("network.packets.rx", { kind: "bridge" }))).toContain(
        `network.packets.rx/${bridge}`,
      );
    } finally {
      ip("link", "delete", bridge);
      execFileSync("sh", ["-c", `ip link delete ${watched} 2>/dev/null || true`]);
    }
  });
});

describe("profiles", () => {
  test("show what the agent computes, one at a time, and open no port", async () => {
    const file = agent.path("agent.cpuprofile");
    await agent.run("pprof.cpu.start", { file });
    await expect(agent.run("pprof.cpu.start", { file })).rejects.toThrow("JOBERR 500");
    for (let count = 0; count < 300; count += 1) await agent.run("core.ping");
    const sockets = execFileSync("ss", ["-ltnpH"], { encoding: "utf8" });
    expect(sockets).not.toContain(`pid=${agent.pid},`);
    await agent.run("pprof.cpu.stop");
    await agent.run("pprof.cpu.stop");
    const profile = JSON.parse(readFileSync(file, "utf8"));
    expect(profile.nodes.length).toBeGreaterThan(10);
    expect(profile.endTime).toBeGreaterThan(profile.startTime);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("the heap is written as the tools of V8 read it", async () => {
    const file = agent.path("agent.heapsnapshot");
    await agent.run("pprof.mem.write", { file });
    const { snapshot, nodes } = JSON.parse(readFileSync(file, "utf8"));
    expect(nodes.length).toBe(snapshot.node_count * snapshot.meta.node_fields.length);
    expect(await agent.run("pprof.mem.stat")).toMatchObject({ rss: expect.any(Number) });
  });

  test.each(["/dev/null", "/no/such/directory", "", "/proc", "fifo"])(
    "%j is refused, without waiting",
    async (name) => {
      const file = name === "fifo" ? agent.path("fifo") : name;
      if (name === "fifo" && !existsSync(file)) execFileSync("mkfifo", [file]);
      for (const command of ["pprof.cpu.start", "pprof.mem.write"]) {
        await expect(agent.run(command, { file })).rejects.toThrow("Cannot write");
      }
    },
  );
});

describe("rtinfo", () => {
  const server = { host: "::1", port: 8999 };

  test("a program that is not installed is no failure, and is forgotten", async () => {
    await agent.run("rtinfo.start", server);
    await vi.waitUntil(async () => JSON.stringify(await agent.run("rtinfo.list")) === "{}");
  });

  test("one program for each server, with its arguments as they are", async () => {
    const program = agent.path("bin/rtinfo-client");
    writeFileSync(program, `#!/bin/sh\necho "$@" > ${agent.path("arguments")}\nexec sleep 1000\n`);
    chmodSync(program, 0o755);
    await agent.run("rtinfo.start", { ...server, disks: ["sd", "nvme0"] });
    const failure = await agent.run("rtinfo.start", server).catch(String);
    expect(failure).toContain("JOBERR 406");
    expect(await agent.run("rtinfo.list")).toStrictEqual({
      "::1:8999": { ...server, disks: ["sd", "nvme0"] },
    });
    await vi.waitUntil(() => existsSync(agent.path("arguments")));
    expect(readFileSync(agent.path("arguments"), "utf8")).toBe(
      "--host ::1 --port 8999 --disk sd --disk nvme0\n",
    );
    await agent.run("rtinfo.stop", server);
    expect(await agent.run("rtinfo.list")).toStrictEqual({});
    await agent.run("rtinfo.stop", server);
    await agent.run("rtinfo.start", server);
    await agent.run("rtinfo.stop", server);
  });

  test.each([
    { host: "", port: 1 },
    { host: "--help", port: 1 },
    { host: "a b", port: 1 },
    { host: "a", port: 0 },
    { host: "a", port: 65_536 },
    { host: "a", port: 1, disks: ["-x"] },
  ])("%j is refused", async (args) => {
    await expect(agent.run("rtinfo.start", args)).rejects.toThrow("JOBERR 500");
  });
});

test("without statistics their commands are unknown, and the rest works", async () => {
  const quiet = await new Agent().start("[stats]\nenabled = false\n");
  try {
    await expect(quiet.run("aggregator.query")).rejects.toThrow("unknown command");
    expect(await quiet.run("monitor", { domain: "memory" })).toBeNull();
    await quiet.redis.rpush(
      "core:default",
      '{"id":"x","command":"aggregator.query","arguments":{}}',
    );
    const [, text = ""] = (await quiet.redis.blpop("result:x", 5)) ?? [];
    expect(JSON.parse(text)).toMatchObject({ state: "UNKNOWN_CMD", code: 0 });
  } finally {
    await quiet.stop();
  }
});
