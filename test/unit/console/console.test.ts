import { expect, test } from "vitest";
import { Console } from "../../../src/console/console.ts";
import { renderScreen, type ScreenContent } from "../../../src/console/screen.ts";
import { chooseTargets } from "../../../src/console/targets.ts";
import { formatTransition } from "../../../src/console/text.ts";
import { ConsoleWriter } from "../../../src/console/writer.ts";
import type { SequenceEvents } from "../../../src/sequencer/sequence.ts";
import type { PhaseStatus } from "../../../src/sequencer/types.ts";
import { FakeClock } from "../../fakes/clock.ts";

const status = (over: Partial<PhaseStatus> = {}): PhaseStatus => ({
  phase: "network",
  state: "done",
  startMs: 0,
  endMs: 0,
  attempts: 1,
  reason: "eth0 10.0.2.15/24 by DHCP",
  ...over,
});

const CONTENT: ScreenContent = {
  version: "0.1.0",
  hostname: "node0-525400123456",
  phases: [status(), status({ phase: "api", state: "pending", reason: "" })],
  addresses: ["eth0 10.0.2.15/24"],
  endpoints: ["0.0.0.0:6379"],
  problems: [],
};

function setUp() {
  const clock = new FakeClock();
  const written = { lines: "", screen: "" };
  const port = (name: keyof typeof written) => ({
    write: (bytes: Buffer) => {
      written[name] += bytes.toString();
      return bytes.length;
    },
    close: () => {},
  });
  const console = new Console({
    clock,
    lines: [new ConsoleWriter(port("lines"), { clock })],
    screen: new ConsoleWriter(port("screen"), { clock }),
    size: { columns: 80, rows: 25 },
    content: () => CONTENT,
  });
  let sequence = 0;
  const change = (over: Partial<PhaseStatus>): void => {
    sequence += 1;
    const payload: SequenceEvents["phase.change"] = {
      sequence: "boot",
      index: 1,
      total: 2,
      status: status(over),
    };
    console.onEvent({ sequence, type: "phase.change", payload });
  };
  return { clock, console, written, change };
}

test("a transition is one line with the time since kernel start", () => {
  expect(formatTransition(status(), 3412.4)).toBe(
    "[  3.412] network        done     eth0 10.0.2.15/24 by DHCP",
  );
  expect(
    formatTransition(status({ attempts: 3, state: "retrying", reason: "no carrier" }), 61_000),
  ).toBe("[ 61.000] network        retrying no carrier (attempt 3)");
});

test("what a network said cannot steer the terminal", () => {
  expect(formatTransition(status({ reason: "a\u001b[2Jb\r\nc\u009bd" }), 0)).toContain(
    "a [2Jb c d",
  );
});

test("an attempt that fails like the one before is not printed again", () => {
  const { change, written } = setUp();
  const failed = { state: "retrying", reason: "eth0: no carrier" } as const;
  change({ ...failed, attempts: 1 });
  change({ ...failed, attempts: 2 });
  change({ state: "done", attempts: 3 });
  expect(written.lines.trim().split("\r\n")).toHaveLength(2);
});

test("a start is not printed, and what is waited for only after a second", () => {
  const { change, written, clock } = setUp();
  change({ state: "running", reason: "" });
  change({ state: "running", reason: "waiting for a DHCP answer on eth0" });
  clock.advance(999);
  expect(written.lines).toBe("");
  clock.advance(1);
  expect(written.lines).toContain("running  waiting for a DHCP answer on eth0");
});

test("a short wait leaves no line behind", () => {
  const { change, written, clock } = setUp();
  change({ state: "running", reason: "waiting for a DHCP answer on eth0" });
  clock.advance(500);
  change({ state: "done" });
  clock.advance(5000);
  expect(written.lines).not.toContain("waiting");
});

test("the end of a sequence is one line", () => {
  const { console, written } = setUp();
  const outcome = { state: "failed", phase: "system", reason: "no /proc" } as const;
  console.onEvent({
    sequence: 1,
    type: "sequence.end",
    payload: { sequence: "boot", outcome, endMs: 2000 },
  });
  expect(written.lines).toBe("[  2.000] boot           failed   system: no /proc\r\n");
});

test("changes that come together are drawn once", () => {
  const { change, written, clock } = setUp();
  for (let attempts = 1; attempts < 10; attempts += 1) change({ attempts });
  clock.advance(1000);
  expect(written.screen.split("\u001b[2J")).toHaveLength(2);
});

test("lines never carry cursor codes", () => {
  const { change, console, written, clock } = setUp();
  change({});
  console.note("cmdline", "Cannot use zerotier on the kernel command line");
  clock.advance(1000);
  expect(written.lines).not.toContain("\u001b");
  expect(written.lines).toContain("cmdline        note     Cannot use zerotier");
});

test("the screen shows product, phases, addresses and how to connect", () => {
  const text = renderScreen(CONTENT, { columns: 80, rows: 25 });
  expect(text).toContain("node0 0.1.0   node0-525400123456");
  expect(text).toContain("  network        done     eth0 10.0.2.15/24 by DHCP");
  expect(text).toContain("address   eth0 10.0.2.15/24");
  expect(text).toContain("connect   redis-cli -h 10.0.2.15 -p 6379 --askpass core.ping");
});

test("while the endpoint is closed the screen names the unix socket", () => {
  const text = renderScreen(
    { ...CONTENT, endpoints: [], addresses: [] },
    { columns: 80, rows: 25 },
  );
  expect(text).toContain("address   none yet");
  expect(text).toContain("connect   on this machine only: /run/node0/redis.sock");
});

test("the screen never has more lines or columns than the terminal", () => {
  const phases = Array.from({ length: 40 }, () => status({ reason: "x".repeat(200) }));
  const text = renderScreen({ ...CONTENT, phases }, { columns: 80, rows: 25 });
  const lines = text.split("\r\n");
  expect(lines).toHaveLength(24);
  expect(Math.max(...lines.slice(1).map((line) => line.length))).toBeLessThan(80);
});

test.each([
  ["ttyS0\n", { lines: ["/dev/ttyS0"], screen: null }],
  ["tty0 ttyS0\n", { lines: ["/dev/ttyS0"], screen: "/dev/tty1" }],
  ["tty0\n", { lines: [], screen: "/dev/tty1" }],
  ["hvc0 ttyS1", { lines: ["/dev/hvc0", "/dev/ttyS1"], screen: null }],
  ["", { lines: ["/dev/console"], screen: null }],
])("with the consoles %j lines and screen go to the right devices", (active, targets) => {
  expect(chooseTargets(active)).toEqual(targets);
});
