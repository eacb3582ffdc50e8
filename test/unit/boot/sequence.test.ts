import { expect, test } from "vitest";
import { createBoot } from "../../../src/boot/boot.ts";
import {
  type BootConnection,
  type BootMachine,
  buildBootSequence,
} from "../../../src/boot/sequence.ts";
import { EventBus } from "../../../src/events/bus.ts";
import { SequenceLock } from "../../../src/sequencer/lock.ts";
import type { SequenceEvents, SequenceOutcome } from "../../../src/sequencer/sequence.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { settle } from "../../fakes/turns.ts";

/** A part this machine does not have. */
const absent = (reason: string): BootConnection => ({
  skip: () => reason,
  bringUp: () => Promise.reject(new Error("brought up although it is skipped")),
  changed: () => new Promise(() => {}),
  watch: () => {},
});

/** A part that is brought up with `line`. */
const present = (line: string, over: Partial<BootConnection> = {}): BootConnection => ({
  bringUp: async () => line,
  changed: () => new Promise(() => {}),
  watch: () => {},
  ...over,
});

/** A machine on which everything works; `over` says what does not. */
function fakeMachine(over: Partial<BootMachine> = {}): BootMachine {
  return {
    overlay: null,
    prepareSystem: async () => "host name node0",
    network: {
      bringUp: async () => "eth0 10.0.2.15/24 by DHCP, gateway 10.0.2.2",
      changed: () => new Promise(() => {}),
      watch: () => {},
    },
    unlock: absent("no controller configured, nothing to unlock"),
    session: absent("no controller configured"),
    ssh: absent("no keys without an unlocked configuration"),
    services: {
      skip: () => "no start-up services configured",
      run: () => Promise.reject(new Error("started although there are none")),
    },
    openApi: async () => ["0.0.0.0:6379"],
    ...over,
  };
}

function boot(machine: BootMachine) {
  const clock = new FakeClock();
  const lock = new SequenceLock(clock);
  const outcomes: SequenceOutcome[] = [];
  const started = createBoot({
    machine,
    lock,
    clock,
    events: new EventBus<SequenceEvents>(),
    onEnd: (outcome) => outcomes.push(outcome),
  });
  const run = started.run();
  const rows = (): string[] =>
    started.timeline().map(({ phase, state, reason }) => `${phase}: ${state}, ${reason}`);
  return { clock, lock, boot: started, run, outcomes, rows };
}

test("the phases of the boot are those of the design, in that order", () => {
  expect(buildBootSequence(fakeMachine()).map(({ id }) => id)).toEqual([
    "system",
    "services.init",
    "network",
    "overlay",
    "unlock",
    "controller-tls",
    "ssh",
    "services.net",
    "flists",
    "api",
    "services.boot",
  ]);
});

test("every phase of a boot says what it reached or why it was skipped", async () => {
  const { rows, outcomes } = boot(fakeMachine());
  await settle();
  expect(outcomes).toEqual([{ state: "done" }]);
  expect(rows()).toEqual([
    "system: done, host name node0",
    "services.init: skipped, no start-up services configured",
    "network: done, eth0 10.0.2.15/24 by DHCP, gateway 10.0.2.2",
    "overlay: skipped, no zerotier= on the kernel command line",
    "unlock: skipped, no controller configured, nothing to unlock",
    "controller-tls: skipped, no controller configured",
    "ssh: skipped, no keys without an unlocked configuration",
    "services.net: skipped, no start-up services configured",
    "flists: skipped, no file lists configured",
    "api: done, listening on 0.0.0.0:6379",
    "services.boot: skipped, no start-up services configured",
  ]);
});

test("an overlay that is configured is waited for, and its loss stops nothing else", async () => {
  const reached = Promise.withResolvers<string>();
  const { rows } = boot(
    fakeMachine({
      overlay: {
        bringUp: ({ setReason }) => {
          setReason("waiting for an administrator to authorise abcdef0123");
          return reached.promise;
        },
        changed: () => new Promise(() => {}),
        watch: (lost) => setImmediate(() => lost("the service was killed")),
      },
    }),
  );
  await settle();
  expect(rows()[3]).toBe("overlay: running, waiting for an administrator to authorise abcdef0123");
  expect(rows()[9]).toBe("api: pending, ");
  reached.resolve("ztabcdefgh 10.147.17.5/24");
  await settle();
  await settle();
  expect(rows()[3]).toBe("overlay: retrying, the service was killed");
  expect(rows()[9]).toBe("api: done, listening on 0.0.0.0:6379");
});

test("the endpoint waits for the unlock and the controller, and not for ssh", async () => {
  const [session, ssh] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const { rows, outcomes } = boot(
    fakeMachine({
      unlock: present("/mnt/etc: 7 files"),
      session: present("", { bringUp: () => session.promise }),
      ssh: present("", { bringUp: () => ssh.promise }),
    }),
  );
  await settle();
  expect(rows().slice(4, 7)).toEqual([
    "unlock: done, /mnt/etc: 7 files",
    "controller-tls: running, ",
    "ssh: pending, ",
  ]);
  session.resolve("https://c known");
  await settle();
  expect(rows()[6]).toBe("ssh: running, ");
  expect(rows()[9]).toBe("api: done, listening on 0.0.0.0:6379");
  expect(outcomes).toEqual([{ state: "done" }]);
  ssh.resolve("root by key");
  await settle();
  expect(rows()[6]).toBe("ssh: done, root by key");
});

test("a machine that was let in before opens its endpoint while the controller is away", async () => {
  const session = present("", {
    bringUp: () => Promise.reject(new Error("https://c: connection refused")),
    isOptional: () => true,
  });
  const { rows } = boot(fakeMachine({ unlock: present("mounted since before"), session }));
  await settle();
  expect(rows()[5]).toBe("controller-tls: retrying, https://c: connection refused");
  expect(rows()[9]).toBe("api: done, listening on 0.0.0.0:6379");
});

test("a configuration that is lost is unlocked again and leaves the endpoint alone", async () => {
  let lose: (reason: string) => void = () => {};
  let times = 0;
  const unlock = present("", {
    bringUp: async () => `unlocked ${++times}`,
    changed: async () => {},
    watch: (lost) => {
      lose = lost;
    },
  });
  const { rows } = boot(fakeMachine({ unlock, session: present("known") }));
  await settle();
  lose("gocryptfs ended");
  expect(rows()[4]).toBe("unlock: retrying, gocryptfs ended");
  expect(rows()[9]).toContain("api: done");
  await settle();
  expect(rows()[4]).toBe("unlock: done, unlocked 2");
});

test("without a password the phase api says that only the unix socket answers", async () => {
  const { rows } = boot(fakeMachine({ openApi: async () => [] }));
  await settle();
  expect(rows()[9]).toBe("api: done, no password, so only the unix socket answers");
});

test("without network the boot waits there, says why, and goes on when a link appears", async () => {
  let plug = (): void => {};
  let isPlugged = false;
  const machine = fakeMachine({
    network: {
      bringUp: async () => {
        if (!isPlugged) throw new Error("eth0: no carrier");
        return "eth0 up";
      },
      changed: () =>
        new Promise((resolve) => {
          plug = resolve;
        }),
      watch: () => {},
    },
  });
  const { rows, clock, boot: started } = boot(machine);
  await settle();
  expect(rows()[2]).toBe("network: retrying, eth0: no carrier");
  expect(rows()[9]).toBe("api: pending, ");
  expect(started.finishedMs()).toBeNull();
  isPlugged = true;
  plug();
  await settle();
  expect(rows()[9]).toBe("api: done, listening on 0.0.0.0:6379");
  expect(started.finishedMs()).toBe(clock.monotonicMs());
});

test.each([
  ["system", { prepareSystem: () => Promise.reject(new Error("no /proc")) }, "no /proc"],
  ["api", { openApi: () => Promise.reject(new Error("EADDRINUSE")) }, "EADDRINUSE"],
])("a failure of %s is fatal, and frees the lock", async (phase, over, reason) => {
  const { run, outcomes, lock } = boot(fakeMachine(over));
  await run;
  expect(outcomes).toEqual([{ state: "failed", phase, reason }]);
  expect(lock.current).toBeUndefined();
});

test("a finished boot still holds the lock, and going down ends its retries", async () => {
  let lose: (reason: string) => void = () => {};
  const base = fakeMachine();
  let isLost = false;
  const machine = fakeMachine({
    network: {
      ...base.network,
      bringUp: async () => {
        if (isLost) throw new Error("eth0: no carrier");
        return "up";
      },
      watch: (lost) => {
        lose = lost;
      },
    },
  });
  const { lock, run, rows } = boot(machine);
  await settle();
  isLost = true;
  lose("eth0: no carrier");
  expect(rows()[2]).toBe("network: retrying, eth0: no carrier");
  expect(rows()[9]).toContain("api: done");
  expect(lock.current).toBe("boot");
  const down = lock.run("reboot", async () => {});
  await Promise.all([down, run]);
  expect(rows()[2]).toBe("network: failed, stopped: reboot takes over");
});

test("services start in three groups, and those that do not run stop nothing", async () => {
  const asked: string[] = [];
  const { rows, outcomes } = boot(
    fakeMachine({
      services: {
        skip: (milestone) => (milestone === "boot" ? "no start-up services configured" : undefined),
        run: async (milestone, { setReason }) => {
          asked.push(milestone);
          setReason("waiting for a");
          if (milestone === "init") throw new Error("a does not run: exit status 7");
          return "running: b";
        },
      },
    }),
  );
  await settle();
  expect(asked).toEqual(["init", "net"]);
  expect(outcomes).toEqual([{ state: "done" }]);
  expect(rows().filter((row) => row.startsWith("services."))).toEqual([
    "services.init: failed, a does not run: exit status 7",
    "services.net: done, running: b",
    "services.boot: skipped, no start-up services configured",
  ]);
});
