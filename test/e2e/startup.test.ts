import { expect, test } from "vitest";
import type { PhaseStatus } from "../../src/sequencer/types.ts";
import { KILL_AGENT } from "./support/agent.ts";
import { readPhases } from "./support/boot-status.ts";
import { BOOT_LIMIT_MS, call, openClient, PASSWORD, shell, startNode } from "./support.ts";

/** The kernel command line of every machine has a `console=`. */
const STARTUP = `
[extension."greet.file"]
binary = "tee"
args = ["/run/{name}"]

[startup.prepare]
name = "greet.file"
after = ["init"]
running_delay = -1
args = { name = "prepared", stdin = "console is {console}" }

[startup.mortal]
name = "core.system"
after = ["prepare"]
protected = true
running_match = "^up \\\\d+$"
args = { name = "sh", args = ["-c", "echo up $$; echo $$ >>/run/mortal; exec sleep 86400"] }

[startup.online]
name = "bash"
after = ["net", "mortal"]
running_match = "default via"
args = { script = "ip route; sleep 86400" }

[startup.broken]
name = "bash"
args = { script = "exit 7" }

[startup.optional]
name = "bash"
condition = "no-such-word"

[startup.lost]
name = "bash"
after = ["nobody"]
`;

test("a machine runs its services in the order they ask for, and protected ones for ever", async () => {
  await using machine = await startNode({
    files: [{ path: "/etc/node0/conf.d/services.toml", text: STARTUP }],
  });
  await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
  const client = openClient(machine);
  await machine.waitSerial(/services\.boot +failed/, { timeoutMs: 30_000 });
  const { phases } = JSON.parse((await call(client, "boot.status")).data) as {
    phases: PhaseStatus[];
  };
  const lines = phases
    .filter(({ phase }) => phase.startsWith("services."))
    .map(({ phase, state, reason }) => `${phase} ${state}: ${reason}`);
  expect(lines).toEqual([
    "services.init done: running: prepare, mortal",
    "services.net done: running: online",
    "services.boot failed: broken does not run: exit status 7; left out: optional",
  ]);
  expect(machine.serial()).toMatch(
    /setting +note +Cannot start service lost of \/etc\/node0\/conf\.d\/services\.toml:33: after "nobody" seen/,
  );
  expect(await shell(client, "cat /run/prepared")).toMatch(/^console is tty/);
  const [first] = (await shell(client, "cat /run/mortal")).split("\n");
  await shell(client, `kill -9 ${first}`);
  const again = `until [ "$(wc -l </run/mortal)" = 2 ]; do sleep 0.2; done; tail -n 1 /run/mortal`;
  const second = (await shell(client, again)).trim();
  expect(second).not.toBe(first);
  const list = JSON.parse((await call(client, "job.list", { id: "mortal" })).data) as object[];
  expect(list).toMatchObject([{ cmd: { id: "mortal" }, pid: Number(second) }]);
  const greeting = { name: "called", stdin: "it's $(me)\n" };
  expect((await call(client, "greet.file", greeting)).streams).toEqual([greeting.stdin, ""]);

  // The next agent ends what this one started, and starts it once more.
  await expect(shell(client, KILL_AGENT)).rejects.toThrow();
  client.disconnect();
  await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
  const next = openClient(machine);
  const phase = async () => (await readPhases(next))["services.boot"]?.state;
  await expect.poll(phase, { timeout: 30_000 }).toBe("failed");
  expect((await shell(next, "cat /run/mortal")).trim().split("\n")).toHaveLength(3);
  expect(await shell(next, `kill -0 ${second} 2>&1 || true`)).toMatch(/No such process/);
  await call(next, "core.poweroff").catch(() => null);
  next.disconnect();
  expect(await machine.waitExit(60_000)).toEqual({ status: 0, signal: null });
  // The stop does not wait for services that would be started again.
  expect(machine.serial()).toMatch(/jobs\.terminate +done/);
});
