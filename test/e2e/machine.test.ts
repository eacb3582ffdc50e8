import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Machine } from "../../scripts/machine/machine.ts";
import type { PhaseStatus } from "../../src/sequencer/types.ts";
import {
  BOOT_LIMIT_MS,
  call,
  exchange,
  openClient,
  PASSWORD,
  shell,
  startNode,
} from "./support.ts";

/** One machine for all of them: a boot under emulation costs more than all these tests together. */
let machine: Machine;
const clients: Redis[] = [];

function client(): Redis {
  const opened = openClient(machine);
  clients.push(opened);
  return opened;
}

beforeAll(async () => {
  machine = await startNode();
  const answeredMs = await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
  console.log(`first PONG after ${Math.round(answeredMs)} ms`);
});
afterEach(() => {
  for (const opened of clients.splice(0)) opened.disconnect();
});
afterAll(() => machine?.stop());

describe("a machine booted directly", () => {
  test("runs a command for an authenticated client", async () => {
    const result = await call(client(), "core.system", { name: "uname", args: ["-s"] });
    expect(result).toMatchObject({ state: "SUCCESS", code: 0, streams: ["Linux\n", ""] });
  });

  test("tells how every phase of its boot ended, and why", async () => {
    const { data } = await call(client(), "boot.status");
    const { phases } = JSON.parse(data) as { phases: PhaseStatus[] };
    const states = Object.fromEntries(phases.map(({ phase, state }) => [phase, state]));
    expect(states).toMatchObject({ system: "done", network: "done", api: "done" });
    for (const { phase, state, startMs, endMs, reason } of phases) {
      expect(`${phase} ${state}`).toMatch(/ (done|skipped)$/);
      expect(`${phase}: ${reason}`).toMatch(/: \S/);
      expect(endMs ?? 0).toBeGreaterThanOrEqual(startMs ?? Number.POSITIVE_INFINITY);
    }
  });

  test("writes one readable line per transition on the serial line", () => {
    expect(machine.serial()).toMatch(/^\[ *\d+\.\d{3}\] network +done +eth0 10\.0\.2\.15\/24/m);
  });

  test("refuses a wrong password, and everything that is asked after it", async () => {
    const answers = await exchange(machine.port, ["AUTH wrong", "core.ping", "GET x"]);
    expect(answers).toHaveLength(3);
    expect(answers[0]).toMatch(/^-WRONGPASS /);
    expect(answers.slice(1).join("\n")).toMatch(/^-NOAUTH .*\n-NOAUTH /);
  });

  test.each(["PING", "core.ping", "RPUSH core:default {}", "HELLO 3", "no.such"])(
    "does not do %s for a client without password",
    async (request) => {
      const [answer = ""] = await exchange(machine.port, [request]);
      expect(answer).toMatch(/^-NOAUTH /);
    },
  );

  test("opens no debugger for whoever is on the machine", async () => {
    const agent = "$(pidof node | tr ' ' '\\n' | sort -n | head -n 1)";
    expect(await shell(client(), `tr '\\0' ' ' </proc/${agent}/cmdline`)).toContain("agent.cjs");
    await shell(client(), `kill -USR1 ${agent}; sleep 1`);
    // Port 9229 is 240D; 0A is a listener.
    expect(await shell(client(), "cat /proc/net/tcp")).not.toMatch(/:240D \S+ 0A /);
  });

  test("keeps the password out of the kernel command line and of process lists", async () => {
    const found = await shell(
      client(),
      "cat /proc/cmdline /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; true",
    );
    expect(found).toContain("node0.password-file=");
    expect(found.includes(PASSWORD)).toBe(false);
  });

  test("leaves no zombie of a thousand orphans", async () => {
    const redis = client();
    // Each orphan waits until its parent has ended and then writes down who its parent is now.
    const script = `mkfifo /tmp/never; exec 9<>/tmp/never; i=0
      while [ $i -lt 1000 ]; do
        ( ( read -r -t 1 x <&9; read -r pid name state parent rest </proc/self/stat
            echo $parent >>/tmp/orphans ) & )
        i=$((i + 1))
      done
      until [ $(wc -l </tmp/orphans) -ge 1000 ]; do read -r -t 1 x <&9; done
      sort /tmp/orphans | uniq -c`;
    expect((await shell(redis, script)).trim()).toMatch(/^1000 1$/);
    await expect
      .poll(() => shell(redis, "grep -h '^State:.Z' /proc/[0-9]*/status | wc -l"), {
        timeout: 20_000,
        interval: 500,
      })
      .toBe("0\n");
  });

  test("answers again after kill -9 of the agent, and says what became of a running job", async () => {
    const redis = client();
    const id = "survivor-of-kill-9";
    const command = { id, command: "core.system", arguments: { name: "sleep", args: ["600"] } };
    await redis.rpush("core:default", JSON.stringify(command));
    await redis.brpoplpush(`result:${id}:flag`, `result:${id}:flag`, 10);
    await expect.poll(() => shell(redis, "pidof sleep || true")).not.toBe("");

    const before = await shell(redis, "pidof node");
    const killed = call(redis, "bash", { script: "kill -9 $(pidof node)" });
    await expect(killed).rejects.toThrow();
    const killedAtMs = performance.now();
    await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
    const awayMs = Math.round(performance.now() - killedAtMs);
    console.log(`answering again ${awayMs} ms after kill -9`);
    expect(awayMs).toBeLessThan(15_000);

    const again = client();
    const text = await again.brpoplpush(`result:${id}`, `result:${id}`, 20);
    const result = JSON.parse(text ?? "null");
    expect(result).toMatchObject({ id, command: "core.system", state: "ERROR" });
    expect(`${result.data} ${result.critical ?? ""}`).toMatch(/agent/);
    expect(await shell(again, "pidof node")).not.toBe(before);
    // Killed, but perhaps not yet gone from the process list of a busy machine.
    await expect.poll(() => shell(again, "pidof sleep || true"), { timeout: 10_000 }).toBe("");
  });

  test("comes back after core.reboot", async () => {
    const redis = client();
    const before = await shell(redis, "cat /proc/sys/kernel/random/boot_id");
    const seen = machine.serial().length;
    await call(redis, "core.reboot").catch(() => null);
    await machine.waitSerial(/^\[ *\d+\.\d{3}\] api +done/m, {
      timeoutMs: BOOT_LIMIT_MS,
      fromOffset: seen,
    });
    await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
    expect(await shell(client(), "cat /proc/sys/kernel/random/boot_id")).not.toBe(before);
  });

  test("is off within 30 s of core.poweroff, whatever still runs", async () => {
    const redis = client();
    const stubborn = "trap '' TERM; while :; do sleep 60; done";
    const command = { id: "stubborn", command: "bash", arguments: { script: stubborn } };
    await redis.rpush("core:default", JSON.stringify(command));
    await redis.brpoplpush("result:stubborn:flag", "result:stubborn:flag", 10);
    await call(redis, "core.poweroff").catch(() => null);
    expect(await machine.waitExit(30_000)).toEqual({ status: 0, signal: null });
  });
});
