import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { linuxServiceHost } from "../../src/service/linux-host.ts";
import { SupervisedService } from "../../src/service/supervised-service.ts";
import type { ServiceSpec } from "../../src/service/types.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { linuxFiles } from "../../src/sys/files-linux.ts";
import { QuietLog } from "../fakes/quiet-log.ts";

const SOON = { timeout: 10_000 };

let directory: string;
let log: QuietLog;
const services: SupervisedService[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "node0-service-"));
  log = new QuietLog();
});
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.stop()));
  rmSync(directory, { recursive: true });
});

/** A daemon that is a small script; `$0` is the directory of the test. */
function make(script: string, over: Partial<ServiceSpec> = {}): SupervisedService {
  const host = linuxServiceHost(linuxFiles, systemClock);
  const service = new SupervisedService(
    { name: "demo", programs: ["sh"], args: ["-c", script, directory], ...over },
    { host, files: linuxFiles, clock: systemClock, log, cgroups: null, directory },
  );
  services.push(service);
  return service;
}

const lines = (): unknown[] =>
  log.lines.filter(([, text]) => text === "service output").map(([, , fields]) => fields["line"]);
const isAlive = (pid: string): boolean =>
  /^State:\s+[^ZX]/m.test(linuxFiles.readText(`/proc/${pid.trim()}/status`) ?? "");

test("what the daemon prints on both streams gets into the log", async () => {
  make("echo one; echo two >&2; exec sleep 60").start();
  await expect.poll(lines, SOON).toStrictEqual(["one", "two"]);
});

test("the environment of the daemon is its list", async () => {
  make("env; exec sleep 60", { env: { LANG: "C" } }).start();
  await expect.poll(() => lines().length, SOON).toBeGreaterThan(1);
  const names = lines().map((line) => String(line).split("=")[0]);
  // PWD is the shell's own.
  expect(names.filter((name) => !["PWD", "_", "SHLVL"].includes(name ?? "")).sort()).toStrictEqual([
    "LANG",
    "PATH",
  ]);
});

test("a daemon goes on printing when its agent is gone, and the next one reads on", async () => {
  const script = 'echo first; until [ -e "$0/go" ]; do sleep 0.05; done; echo late; exec sleep 60';
  const first = make(script);
  first.start();
  await expect.poll(lines, SOON).toStrictEqual(["first"]);
  const { pid } = first.status();
  first.release();
  const second = make(script);
  second.start();
  await expect.poll(() => second.status().state, SOON).toBe("running");
  writeFileSync(join(directory, "go"), "");
  await expect.poll(lines, SOON).toStrictEqual(["first", "late"]);
  expect(second.status()).toMatchObject({ pid, isAdopted: true });
});

test("a stop takes the children of the daemon along", async () => {
  const service = make('sleep 60 & echo $! >"$0/child"; wait');
  service.start();
  const child = (): string => linuxFiles.readText(join(directory, "child")) ?? "";
  await expect.poll(child, SOON).toMatch(/^\d+\n$/);
  await service.stop();
  await expect.poll(() => isAlive(child()), SOON).toBe(false);
  expect(existsSync(join(directory, "demo.json"))).toBe(false);
});

test("a daemon that ignores signal 15 is killed after its limit", async () => {
  const service = make('trap "" TERM; echo ready; while :; do sleep 0.1; done', {
    stopLimitMs: 200,
  });
  service.start();
  await expect.poll(lines, SOON).toStrictEqual(["ready"]);
  const pid = String(service.status().pid);
  await service.stop();
  expect(service.status().state).toBe("stopped");
  await expect.poll(() => isAlive(pid), SOON).toBe(false);
});

test("a daemon that ends at once is told with its last words, and started again", async () => {
  const service = make("echo port is taken; exit 3");
  const reasons: string[] = [];
  service.onChange(({ state, reason }) => {
    if (state === "waiting") reasons.push(reason);
  });
  service.start();
  await expect.poll(() => reasons.length, SOON).toBeGreaterThan(1);
  expect(reasons[0]).toMatch(
    /^ended after 0 s: exit code 3 \(port is taken\); next start in 0\.\d s$/,
  );
});

test("a program whose interpreter is missing is told as such", async () => {
  const file = join(directory, "broken");
  writeFileSync(file, "#!/nowhere/sh\n", { mode: 0o755 });
  const service = make("", { programs: [file] });
  service.start();
  await expect
    .poll(() => service.status().reason, SOON)
    .toMatch(/^Cannot start .*broken: .*ENOENT.*next start/);
});

test("the record names the process by pid and start time, for root alone", async () => {
  const service = make("exec sleep 60");
  service.start();
  await expect.poll(() => service.status().state, SOON).toBe("running");
  const record = JSON.parse(readFileSync(join(directory, "demo.json"), "utf8")) as object;
  expect(record).toMatchObject({ pid: service.status().pid });
  const [, ticks] = /"startTicks":(\d+)/.exec(JSON.stringify(record)) ?? [];
  const stat = linuxFiles.readText(`/proc/${service.status().pid}/stat`) ?? "";
  expect(stat.slice(stat.lastIndexOf(")")).split(" ")[20]).toBe(ticks);
});
