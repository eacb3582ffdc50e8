import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Machine } from "../../scripts/machine/machine.ts";
import { KILL_AGENT } from "./support/agent.ts";
import { readPhases, waitBooted } from "./support/boot-status.ts";
import { ChainLab } from "./support/chain-lab.ts";
import { SshSession, ssh } from "./support/ssh.ts";
import { BOOT_LIMIT_MS, call, openClient, shell } from "./support.ts";

/** What an operator sees between the approval and the unlocked machine. */
const APPROVAL_LIMIT_MS = 5000;
/** A boot as far as the question for the key takes less where nothing else runs. */
const QUIET_BOOT_MS = 8000;
/** Machines report every 30 s, less up to a fifth. */
const HEARTBEAT_LIMIT_MS = 60_000;

/** Part of the private configuration. */
const SERVICE = `[startup.own]
name = "bash"
after = ["init"]
running_delay = -1
args = { script = "echo {none} >/run/own" }
`;

/** One machine for all of these, each test going on where the one before ended. */
let lab: ChainLab;
let machine: Machine;
let client: Redis;

beforeAll(async () => {
  lab = await ChainLab.open();
  machine = await lab.boot();
});
afterAll(async () => {
  client?.disconnect();
  await machine?.stop();
  await lab?.close();
});

const waitPhase = async (pattern: RegExp, fromOffset = 0): Promise<RegExpExecArray> =>
  machine.waitSerial(pattern, { timeoutMs: BOOT_LIMIT_MS, fromOffset });

/** When the first line of its kind was written into the audit log. */
async function atMs(action: string, outcome: string): Promise<number> {
  const lines = await lab.audit();
  return lines.find((line) => line.action === action && line.outcome === outcome)?.atMs ?? NaN;
}

/** Without the rest of the lease, which runs down. */
const addressesOf = (of: Redis): Promise<string> =>
  shell(of, "ip -o -4 address show scope global | sed 's/valid_lft.*//'");

const heartbeatMs = async (): Promise<number> => (await lab.node()).heartbeat?.atMs ?? 0;

describe("a machine nobody knows yet", () => {
  test("waits for an operator on its console, and is unlocked within 5 s of the approval", async () => {
    const [, id, url] = await waitPhase(
      / unlock +\w+ +waiting for an operator to approve (\S+) at (\S+)\n/,
    );
    expect(url).toBe(lab.url);
    const slowness = Math.max(1, (performance.now() - machine.startedAtMs) / QUIET_BOOT_MS);
    if (slowness > 1)
      console.info(`this host is ${slowness.toFixed(1)} times as slow as a quiet one`);
    const files = mkdtempSync(join(tmpdir(), "node0-private-files-"));
    mkdirSync(join(files, "conf.d"));
    writeFileSync(join(files, "conf.d/own.toml"), SERVICE);
    await lab.createPrivate("--files", files);
    rmSync(files, { recursive: true });
    expect(lab.id).toBe(id);
    expect((await lab.node()).state).toBe("pending");
    await lab.operator.approve(lab.id);
    const approvedMs = performance.now();
    const [line] = await waitPhase(/ unlock +done .*\n/);
    const unlockedMs = performance.now() - approvedMs;
    const keyMs = (await atMs("unlock", "approved")) - (await atMs("approve", "done"));
    console.info(`key ${keyMs} ms after the approval, unlocked after ${unlockedMs.toFixed(0)} ms`);
    expect(line).toContain(`files fetched, revision 1, key by ${lab.url} for ${lab.id}\n`);
    expect(keyMs).toBeLessThanOrEqual(APPROVAL_LIMIT_MS);
    expect(unlockedMs).toBeLessThanOrEqual(APPROVAL_LIMIT_MS * slowness);
  });

  test("goes on to the end, and opens its endpoint with the private password alone", async () => {
    await machine.waitPong(lab.password, BOOT_LIMIT_MS);
    client = openClient(machine, lab.password);
    const phases = await waitBooted(client);
    for (const name of ["network", "unlock", "controller-tls", "ssh", "api"]) {
      expect(phases[name], name).toMatchObject({ state: "done" });
    }
    expect(phases["controller-tls"]?.reason).toBe(`${lab.url} knows this machine as ${lab.id}`);
    expect(phases["services.net"]).toMatchObject({ state: "done", reason: "running: own" });
    expect(await shell(client, "cat /run/own")).toBe("{none}\n");
    const stranger = openClient(machine);
    await expect(stranger.ping()).rejects.toThrow(/WRONGPASS|NOAUTH/);
    stranger.disconnect();
    expect(await shell(client, "grep ' /mnt/etc ' /proc/mounts")).toMatch(
      / fuse\.gocryptfs ro,nosuid,nodev,noexec,/,
    );
    expect(await shell(client, "cat /mnt/etc/redis/password")).toBe(`${lab.password}\n`);
  });

  test("reports itself to the controller", async () => {
    await expect.poll(heartbeatMs, { timeout: HEARTBEAT_LIMIT_MS }).toBeGreaterThan(0);
    const { heartbeat } = await lab.node();
    expect(heartbeat?.addresses).toContain("eth0 10.0.2.15/24");
    expect(heartbeat?.phases).toContainEqual(
      expect.objectContaining({ phase: "unlock", state: "done" }),
    );
  });
});

describe("sshd of an unlocked machine", () => {
  test("lets root in by the known key, and shows the host key of the private configuration", async () => {
    const target = lab.sshTarget(machine);
    expect(await ssh(target, "id -un; hostname")).toMatchObject({ status: 0 });
    const shown = execFileSync("ssh-keygen", ["-lf", target.knownHosts], { encoding: "utf8" });
    const [fingerprint = "none"] = /SHA256:\S+/.exec(shown) ?? [];
    expect((await readPhases(client))["ssh"]?.reason).toContain(fingerprint);
  });

  test("knows no other key and no password", async () => {
    const target = lab.sshTarget(machine);
    const directory = mkdtempSync(join(tmpdir(), "node0-stranger-"));
    try {
      const identity = join(directory, "key");
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", identity]);
      const stranger = await ssh({ ...target, identity }, "id");
      expect(stranger.output).toContain("Permission denied (publickey)");
      const typist = await ssh(target, "id", ["PubkeyAuthentication=no"]);
      expect(typist.output).toContain("Permission denied (publickey)");
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe("an unlocked machine", () => {
  test("is not disturbed when its controller is killed, and reports again when it is back", async () => {
    const lasting = { name: "sleep", args: ["100000"] };
    const command = { id: "lasting", command: "core.system", arguments: lasting };
    await client.rpush("core:default", JSON.stringify(command));
    const before = await heartbeatMs();
    const fromOffset = machine.serial().length;
    await lab.controller.stop("SIGKILL");
    const failures = (): Promise<string> =>
      shell(client, "grep -c 'heartbeat failed' /run/node0/agent.log || true");
    await expect.poll(failures, { timeout: HEARTBEAT_LIMIT_MS, interval: 1000 }).toBe("1\n");
    expect(await client.ping()).toBe("PONG");
    expect((await ssh(lab.sshTarget(machine), "true")).status).toBe(0);
    expect(JSON.stringify((await call(client, "job.list")).data)).toContain("lasting");
    expect(machine.serial().slice(fromOffset)).not.toMatch(/retrying|failed/);

    await lab.startController();
    await expect
      .poll(heartbeatMs, { timeout: HEARTBEAT_LIMIT_MS, interval: 1000 })
      .toBeGreaterThan(before);
    const { heartbeat } = await lab.node();
    expect(heartbeat?.phases).toContainEqual(
      expect.objectContaining({ phase: "api", state: "done" }),
    );
    expect(await failures()).toBe("1\n");
  });

  test("keeps mount, password and sessions when its agent is killed, and asks for no key", async () => {
    const given = await lab.keysGiven();
    const session = new SshSession(lab.sshTarget(machine));
    session.say("before");
    await expect.poll(() => session.output, { timeout: 20_000 }).toContain("before");
    const fromOffset = machine.serial().length;
    await expect(shell(client, KILL_AGENT)).rejects.toThrow();
    client.disconnect();
    const [line] = await waitPhase(/ unlock +done .*\n/, fromOffset);
    expect(line).toContain("/mnt/etc is mounted since before");
    await machine.waitPong(lab.password, BOOT_LIMIT_MS);
    client = openClient(machine, lab.password);
    expect((await waitBooted(client))["ssh"]?.state).toBe("done");
    session.say("after");
    await expect.poll(() => session.output, { timeout: 20_000 }).toContain("after");
    await session.close();
    expect(await lab.keysGiven()).toBe(given);
  });

  test("opens its endpoint again although its controller is away, over the network it has", async () => {
    const session = new SshSession(lab.sshTarget(machine));
    session.say("before");
    await expect.poll(() => session.output, { timeout: 20_000 }).toContain("before");
    const before = await addressesOf(client);
    await lab.controller.stop("SIGKILL");
    const fromOffset = machine.serial().length;
    await expect(shell(client, KILL_AGENT)).rejects.toThrow();
    client.disconnect();
    await machine.waitPong(lab.password, BOOT_LIMIT_MS);
    client = openClient(machine, lab.password);
    const booted = await readPhases(client);
    expect(booted["network"]?.reason).toContain("; kept, because");
    expect(booted["controller-tls"]?.state).toBe("retrying");
    expect(await addressesOf(client)).toBe(before);
    session.say("after");
    await expect.poll(() => session.output, { timeout: 20_000 }).toContain("after");
    await session.close();
    await lab.startController();
    await waitPhase(/ controller-tls +done .*\n/, fromOffset);
  });

  test("unlocks again when gocryptfs is killed; endpoint and password stay", async () => {
    const given = await lab.keysGiven();
    const fromOffset = machine.serial().length;
    const record = "/run/node0/services/gocryptfs.json";
    await shell(client, `kill -9 $(sed -n 's/.*"pid": *\\([0-9]*\\).*/\\1/p' ${record})`);
    await waitPhase(/ unlock +retrying .*gocryptfs ended/, fromOffset);
    const another = openClient(machine, lab.password);
    expect(await another.ping()).toBe("PONG");
    another.disconnect();
    await waitPhase(/ unlock +done .*\n/, fromOffset);
    expect(await client.ping()).toBe("PONG");
    expect(await shell(client, "cat /mnt/etc/redis/password")).toBe(`${lab.password}\n`);
    expect(await lab.keysGiven()).toBe(given + 1);
  });
});
