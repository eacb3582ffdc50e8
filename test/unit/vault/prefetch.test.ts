import { afterEach, beforeEach, expect, test } from "vitest";
import { Prefetch } from "../../../src/vault/prefetch.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeController } from "../../fakes/fake-controller.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

const MAC = "52:54:00:00:00:01";
const NONE = { status: 404, body: { code: "E_PRIVATE_UNKNOWN", message: "none" } };
let client: FakeController;
let clock: FakeClock;
let log: QuietLog;
let control: AbortController;

beforeEach(() => {
  client = new FakeController();
  client.replies = [NONE];
  clock = new FakeClock();
  log = new QuietLog();
  control = new AbortController();
});
afterEach(() => control.abort());

function open(files: Record<string, string> = {}): Prefetch {
  const directories = { baked: "/baked", fetched: "/fetched" };
  return new Prefetch({ client, clock, log, directories, files: new MemoryFiles(files) });
}

test("asks by the address of the machine, again after 10 s, and a failure is no trouble", async () => {
  const prefetch = open();
  for (const [passedMs, count] of [
    [0, 1],
    [9999, 1],
    [1, 2],
    [0, 2],
  ] as const) {
    clock.advance(passedMs);
    prefetch.begin(MAC, control.signal);
    await prefetch.ended();
    expect(client.asked).toHaveLength(count);
  }
  expect(client.asked[0]).toMatchObject({ method: "GET", path: `/v1/private/${MAC}` });
  expect(log.lines.map(([level]) => level)).toEqual(["debug", "debug"]);
});

test.each(["baked", "fetched"])("asks for nothing where ciphertext is %s", async (name) => {
  const prefetch = open({ [`/${name}/gocryptfs.conf`]: "{}" });
  prefetch.begin(MAC, control.signal);
  await prefetch.ended();
  expect(client.asked).toEqual([]);
});

test("without an address nobody is asked", async () => {
  const prefetch = open();
  prefetch.begin("", control.signal);
  await prefetch.ended();
  expect(client.asked).toEqual([]);
});

test("one at a time, until it is stopped", async () => {
  const signals: AbortSignal[] = [];
  client.ask = ({ signal }) => {
    signals.push(signal);
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  };
  const prefetch = open();
  prefetch.begin(MAC, control.signal);
  clock.advance(60_000);
  prefetch.begin(MAC, control.signal);
  expect(signals).toHaveLength(1);
  prefetch.stop();
  await prefetch.ended();
  prefetch.begin(MAC, control.signal);
  expect(signals).toHaveLength(2);
  control.abort(new Error("going down"));
  await prefetch.ended();
});
