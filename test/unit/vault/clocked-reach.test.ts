import { expect, test } from "vitest";
import type { Reach } from "../../../src/network/reach.ts";
import { ClockedReach } from "../../../src/vault/clocked-reach.ts";
import { NodeClock } from "../../../src/vault/node-clock.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

const target = "https://127.0.0.1:1";

function clocked(reason: string) {
  let tries = 0;
  const reach: Reach = {
    controllers: 1,
    probes: 0,
    prepare: () => {},
    try: async () => {
      tries += 1;
      return [{ target, isReached: reason === "reached", reason }];
    },
  };
  const read: string[] = [];
  const files = new MemoryFiles();
  const log = new QuietLog();
  const part = new ClockedReach({
    reach,
    controllers: [{ url: target, ca: "/ca.pem" }],
    nodeClock: new NodeClock({ log, wallMs: () => 0, setWallMs: null, builtAtMs: 0 }),
    clock: new FakeClock(),
    log,
    files: {
      readText: (path) => {
        read.push(path);
        return files.readText(path);
      },
    },
  });
  const { signal } = new AbortController();
  return { read, tries: () => tries, run: () => part.try({ limitMs: 1000, signal }) };
}

test("a controller that is reached, or fails for other reasons than dates, is not asked for the time", async () => {
  for (const reason of ["reached", "connection refused", "certificate is for another name"]) {
    const { run, read, tries } = clocked(reason);
    await run();
    expect({ read, tries: tries() }).toEqual({ read: [], tries: 1 });
  }
});

test("without a time to be believed the first result stands", async () => {
  const { run, read, tries } = clocked("certificate has expired, or the clock is wrong");
  expect(await run()).toEqual([
    { target, isReached: false, reason: "certificate has expired, or the clock is wrong" },
  ]);
  expect({ read, tries: tries() }).toEqual({ read: ["/ca.pem"], tries: 1 });
});
