import { beforeEach, expect, test } from "vitest";
import { SshService } from "../../../src/service/sshd.ts";
import { SSHD_PROGRAM, type SshdTools } from "../../../src/service/sshd-tools.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";
import { FakeServiceHost } from "../../fakes/service-host.ts";

const CONFIG = "/run/node0/ssh/sshd_config";

let clock: FakeClock;
let files: MemoryFiles;
let host: FakeServiceHost;
let names: string[];
let check: SshdTools["check"];
let silent: Set<string>;
let ssh: SshService;

beforeEach(() => {
  clock = new FakeClock();
  files = new MemoryFiles();
  host = new FakeServiceHost();
  host.installed.add(SSHD_PROGRAM);
  names = ["ssh_host_ed25519_key", "authorized_keys"];
  silent = new Set();
  check = async (file) => {
    const listen = [...(files.readText(file) ?? "").matchAll(/^ListenAddress (\S+)$/gm)];
    return { isGood: true, text: listen.map(([, one]) => `listenaddress ${one}\n`).join("") };
  };
  ssh = make();
});

function make(isUnlocked = true): SshService {
  return new SshService({
    host,
    files,
    clock,
    log: new QuietLog(),
    cgroups: "/cgroup",
    listen: [
      { host: "10.0.0.1", port: 22 },
      { host: "127.0.0.1", port: 22 },
    ],
    settings: "/mnt/etc/ssh",
    isUnlocked: () => isUnlocked,
    tools: {
      list: async () => names,
      readStart: async () => Buffer.alloc(0),
      check: (file) => check(file),
      readBanner: async (address) => {
        if (silent.has(address.host)) throw new Error("refused");
        return "SSH-2.0-OpenSSH_10.0";
      },
    },
  });
}

const context = () => ({
  attempt: 1,
  signal: new AbortController().signal,
  setReason: () => undefined,
  progress: () => undefined,
});

/** Lets time pass until the attempt has ended. */
async function bringUp(service = ssh): Promise<string> {
  const attempt = service.bringUp(context());
  let isOver = false;
  attempt.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  for (let turn = 0; turn < 1000 && !isOver; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(200);
  }
  return attempt;
}

test("without an unlocked configuration there is nothing to start", () => {
  expect(make(false).skip()).toBe("no keys without an unlocked configuration");
  expect(ssh.skip()).toBeUndefined();
});

test.each(["ssh_host_ed25519_key", "authorized_keys"])(
  "without %s nothing starts",
  async (name) => {
    names = names.filter((other) => other !== name);
    await expect(bringUp()).rejects.toThrow(`/mnt/etc/ssh/${name} is absent`);
    expect(host.requests).toEqual([]);
  },
);

test("is reached where one address answers, and says where none does", async () => {
  silent.add("10.0.0.1");
  expect(await bringUp()).toBe(
    "root by key on 127.0.0.1:22, host key of an old format; not on 10.0.0.1:22",
  );
});

test("is not reached while nobody answers", async () => {
  silent.add("10.0.0.1").add("127.0.0.1");
  await expect(bringUp()).rejects.toMatchObject({ code: "E_SSHD" });
});

test("settings sshd refuses are left out, whatever else is told", async () => {
  names.push("sshd_config");
  const good = check;
  check = async (file) => {
    const isOwn = /^Include /m.test(files.readText(file) ?? "");
    return isOwn ? { isGood: false, text: `${file} line 3:\nbad value\n` } : good(file);
  };
  expect(await bringUp()).toMatch(
    /; \/mnt\/etc\/ssh\/sshd_config not used: \/run\/node0\/ssh\/sshd_config line 3:; bad value$/,
  );
  expect(files.readText(CONFIG)).not.toContain("Include");
});

test("the daemon gets no variable of the agent but a path of its own", async () => {
  await bringUp();
  expect(host.requests[0]?.env).toEqual({ PATH: "/usr/sbin:/usr/bin:/sbin:/bin" });
  expect(host.requests[0]?.args).toEqual(["-D", "-e", "-f", CONFIG]);
});

test("stopping leaves the cgroup alone, in which the sessions are", async () => {
  await bringUp();
  const stopping = ssh.stop();
  await expect
    .poll(() => {
      clock.advance(100);
      return host.alive.size;
    })
    .toBe(0);
  await stopping;
  expect(host.signals.join()).not.toContain("cgroup");
});

test("other addresses restart the daemon, the same ones do not", async () => {
  await bringUp();
  await ssh.setListen([
    { host: "10.0.0.1", port: 22 },
    { host: "127.0.0.1", port: 22 },
  ]);
  expect(host.signals).toEqual([]);
  const moved = ssh.setListen([{ host: "10.0.0.9", port: 22 }]);
  await expect
    .poll(() => {
      clock.advance(100);
      return host.requests.length;
    })
    .toBe(2);
  await moved;
  expect(host.signals[0]).toBe("terminate 100");
  expect(files.readText(CONFIG)).toContain("ListenAddress 10.0.0.9:22");
  expect(await bringUp()).toContain("on 10.0.0.9:22,");
});
