import { expect, test } from "vitest";
import { AgentError } from "../../../src/base/errors.ts";
import { NodeClock } from "../../../src/vault/node-clock.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

const BUILT = Date.UTC(2026, 0, 1);
const NOW = Date.UTC(2026, 10, 20);

function clockAt(wallMs: number, over: { fails?: boolean; builtAtMs?: number | null } = {}) {
  const set: number[] = [];
  const log = new QuietLog();
  const { fails = false, builtAtMs = BUILT } = over;
  const setWallMs = async (ms: number): Promise<void> => {
    if (fails) throw new AgentError("E_CLOCK", "refused");
    set.push(ms);
  };
  return { set, log, clock: new NodeClock({ log, wallMs: () => wallMs, setWallMs, builtAtMs }) };
}

test("a clock that is off by up to two seconds is left alone", async () => {
  for (const byMs of [0, 2000, -2000]) {
    const { clock, set } = clockAt(NOW + byMs);
    expect(await clock.adjust(NOW)).toBe(false);
    expect(set).toEqual([]);
  }
});

test("a clock that is off by more is set, forwards and backwards", async () => {
  for (const wallMs of [NOW - 2001, NOW + 2001, 0, Date.UTC(2099, 0, 1)]) {
    const { clock, set } = clockAt(wallMs);
    expect(await clock.adjust(NOW)).toBe(true);
    expect(set).toEqual([NOW]);
  }
});

test("a time before the software was made, or absurdly late, is not believed", async () => {
  for (const nowMs of [BUILT - 1, Date.UTC(2300, 0, 1)]) {
    const { clock, set } = clockAt(NOW);
    expect(await clock.adjust(nowMs)).toBe(false);
    expect(set).toEqual([]);
  }
});

test("a clock the kernel does not let set is told and stops nothing", async () => {
  const { clock, log } = clockAt(0, { fails: true });
  expect(await clock.adjust(NOW)).toBe(false);
  expect(log.lines.map(([level]) => level)).toEqual(["error"]);
});

test("dates of certificates may be passed over only by a clock years ahead of the build", () => {
  expect(clockAt(Date.UTC(2099, 0, 1)).clock.mayGoBack).toBe(true);
  expect(clockAt(Date.UTC(2030, 0, 1)).clock.mayGoBack).toBe(false);
  expect(clockAt(NOW).clock.mayGoBack).toBe(false);
  expect(clockAt(Date.UTC(2099, 0, 1), { builtAtMs: null }).clock.mayGoBack).toBe(false);
});
