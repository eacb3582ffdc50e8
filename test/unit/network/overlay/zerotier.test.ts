import { expect, test } from "vitest";
import { AgentError } from "../../../../src/base/errors.ts";
import type {
  OverlayReached,
  ZeroTierObject,
  ZeroTierService,
} from "../../../../src/network/overlay/types.ts";
import { type OverlayDaemon, ZeroTierOverlay } from "../../../../src/network/overlay/zerotier.ts";
import type { ServiceState, ServiceStatus } from "../../../../src/service/types.ts";
import { FakeClock } from "../../../fakes/clock.ts";
import { QuietLog } from "../../../fakes/quiet-log.ts";
import { settle } from "../../../fakes/turns.ts";

const NETWORK = "8056c2e21c000001";
const ADDRESS = "10.147.17.5";

const OK = { status: "OK", assignedAddresses: [`${ADDRESS}/24`], portDeviceName: "ztabcdefgh" };

class FakeDaemon implements OverlayDaemon {
  current: ServiceStatus = status("running", "process 100, started");
  starts = 0;
  readonly restarts: string[] = [];
  readonly #listeners = new Set<() => void>();
  status = (): ServiceStatus => this.current;
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  start = (): void => {
    this.starts += 1;
  };
  restart = async (reason: string): Promise<void> => {
    this.restarts.push(reason);
  };
  become(state: ServiceState, reason: string): void {
    this.current = status(state, reason);
    for (const listener of this.#listeners) listener();
  }
}

function status(state: ServiceState, reason: string): ServiceStatus {
  const pid = state === "running" ? 100 : null;
  return { name: "zerotier-one", state, reason, pid, isAdopted: false, restarts: 0, sinceMs: 0 };
}

class FakeApi implements ZeroTierService {
  readonly joined = new Map<string, ZeroTierObject>();
  readonly calls: string[] = [];
  answer: ZeroTierObject = OK;
  failure: AgentError | undefined;
  looks = 0;
  status = async (): Promise<ZeroTierObject> => {
    this.looks += 1;
    if (this.failure !== undefined) throw this.failure;
    return { address: "89e92ceee5", online: true };
  };
  networks = async (): Promise<readonly ZeroTierObject[]> => [...this.joined.values()];
  network = async (id: string): Promise<ZeroTierObject | undefined> =>
    this.joined.has(id) ? this.answer : undefined;
  join = async (id: string): Promise<void> => {
    this.calls.push(`join ${id}`);
    this.joined.set(id, {});
  };
  leave = async (id: string): Promise<boolean> => {
    if (this.failure !== undefined) throw this.failure;
    this.calls.push(`leave ${id}`);
    return this.joined.delete(id);
  };
  orbit = async (): Promise<void> => {};
  deorbit = async (): Promise<boolean> => true;
}

const trouble = (kind: string, why: string) =>
  new AgentError("E_OVERLAY_API", `Cannot ask: ${why}`, { fields: { kind, why } });

function setUp() {
  const clock = new FakeClock();
  const daemon = new FakeDaemon();
  const api = new FakeApi();
  const reached: OverlayReached[] = [];
  let present = [ADDRESS];
  const overlay = new ZeroTierOverlay({
    network: NETWORK,
    daemon,
    api,
    clock,
    log: new QuietLog(),
    onLink: async (name) => (name === "ztabcdefgh" ? present : []),
    onReached: (value) => reached.push(value),
  });
  const reasons: string[] = [];
  const control = new AbortController();
  const lost: string[] = [];
  let done: OverlayReached | undefined;
  const bringUp = () => {
    const context = {
      attempt: 1,
      signal: control.signal,
      setReason: (text: string) => reasons.push(text),
      progress: () => {},
    };
    const ending = overlay.bringUp(context).then((value) => {
      done = value;
    });
    ending.catch(() => {});
    return ending;
  };
  const pass = async (spanMs: number, stepMs = 250) => {
    for (let passedMs = 0; passedMs < spanMs; passedMs += stepMs) {
      await settle();
      clock.advance(Math.min(stepMs, spanMs - passedMs));
    }
    await settle();
  };
  return {
    clock,
    daemon,
    api,
    overlay,
    reached,
    reasons,
    control,
    lost,
    bringUp,
    pass,
    watch: () => overlay.watch((reason) => lost.push(reason), control.signal),
    setPresent: (addresses: string[]) => {
      present = addresses;
    },
    done: () => done,
  };
}

test("the phase starts the service, joins once, and ends with the address", async () => {
  const { daemon, api, reached, bringUp, done } = setUp();
  await bringUp();
  expect(daemon.starts).toBe(1);
  expect(api.calls).toStrictEqual([`join ${NETWORK}`]);
  expect(done()).toStrictEqual({
    nodeId: "89e92ceee5",
    network: NETWORK,
    interface: "ztabcdefgh",
    addresses: [`${ADDRESS}/24`],
  });
  expect(reached).toStrictEqual([done()]);
});

test("a network that is joined already is not joined again", async () => {
  const { api, bringUp } = setUp();
  api.joined.set(NETWORK, {});
  await bringUp();
  expect(api.calls).toStrictEqual([]);
});

test("an address that is only promised is waited for", async () => {
  const { bringUp, reasons, setPresent, pass, done } = setUp();
  setPresent([]);
  void bringUp();
  await pass(1000);
  expect(done()).toBeUndefined();
  expect(reasons).toStrictEqual([`waiting for ${ADDRESS}/24 to appear on ztabcdefgh`]);
  setPresent([ADDRESS]);
  await pass(5000);
  expect(done()).toBeDefined();
});

test("the wait has no end, asks less and less often, and every five seconds at least", async () => {
  const { api, bringUp, pass, done } = setUp();
  api.answer = { status: "ACCESS_DENIED" };
  void bringUp();
  await pass(60_000);
  const inFirstMinute = api.looks;
  await pass(600_000);
  expect(done()).toBeUndefined();
  expect(inFirstMinute).toBeLessThan(25);
  expect(api.looks - inFirstMinute).toBeGreaterThanOrEqual(110);
  expect(api.looks - inFirstMinute).toBeLessThanOrEqual(121);
  api.answer = OK;
  await pass(5250);
  expect(done()).toBeDefined();
});

test("a service that does not run gives its own reason, and is looked at when it does", async () => {
  const { daemon, bringUp, reasons, pass, done } = setUp();
  daemon.become("waiting", "zerotier-one is not installed: looked for /bin/zerotier-one");
  void bringUp();
  await pass(60_000);
  expect(reasons).toStrictEqual([
    "zerotier-one is not running: zerotier-one is not installed: looked for /bin/zerotier-one",
  ]);
  daemon.become("running", "process 100, started");
  await settle();
  expect(done()).toBeDefined();
});

test("a service that only begins is told as that, not as a mistake", async () => {
  const { api, bringUp, reasons, pass } = setUp();
  api.failure = trouble("starting", "it made no token yet");
  void bringUp();
  await pass(500);
  expect(reasons).toStrictEqual(["zerotier-one (process 100) starts: it made no token yet"]);
});

test("a service that is silent for a minute is started again", async () => {
  const { api, daemon, bringUp, pass } = setUp();
  api.failure = trouble("silent", "no answer within 3 s");
  void bringUp();
  await pass(59_000);
  expect(daemon.restarts).toStrictEqual([]);
  await pass(7000);
  expect(daemon.restarts).toStrictEqual(["no answer for 60 s"]);
});

test("a service that refuses the token is not started again for that", async () => {
  const { api, daemon, bringUp, pass } = setUp();
  api.failure = trouble("token", "the service refused the token");
  void bringUp();
  await pass(200_000);
  expect(daemon.restarts).toStrictEqual([]);
});

test("an aborted attempt ends at once and leaves no timer behind", async () => {
  const { api, clock, bringUp, control, pass } = setUp();
  api.answer = { status: "ACCESS_DENIED" };
  const ending = bringUp();
  await pass(1000);
  control.abort(new Error("machine goes down"));
  await expect(ending).rejects.toThrow("machine goes down");
  expect(clock.pendingTimers).toBe(0);
});

test("a daemon that dies is a loss at once", async () => {
  const { daemon, bringUp, watch, lost } = setUp();
  await bringUp();
  watch();
  daemon.become("waiting", "ended after 9 s: signal SIGKILL; next start in 0.5 s");
  await settle();
  expect(lost).toStrictEqual([
    "zerotier-one is not running: ended after 9 s: signal SIGKILL; next start in 0.5 s",
  ]);
});

test("an address that is gone is a loss, told once", async () => {
  const { bringUp, watch, setPresent, lost, pass } = setUp();
  await bringUp();
  watch();
  setPresent([]);
  await pass(20_000, 5000);
  expect(lost).toStrictEqual([`waiting for ${ADDRESS}/24 to appear on ztabcdefgh`]);
});

test("one answer that does not come is no loss, three in a row are", async () => {
  const { api, bringUp, watch, lost, pass } = setUp();
  await bringUp();
  watch();
  api.failure = trouble("silent", "no answer within 3 s");
  await pass(10_000, 5000);
  api.failure = undefined;
  await pass(5000, 5000);
  api.failure = trouble("silent", "no answer within 3 s");
  await pass(10_000, 5000);
  expect(lost).toStrictEqual([]);
  await pass(5000, 5000);
  expect(lost).toStrictEqual(["zerotier-one does not do its work: no answer within 3 s"]);
});

test("a watch that is ended reports nothing", async () => {
  const { daemon, bringUp, watch, control, lost } = setUp();
  await bringUp();
  watch();
  control.abort(new Error("down"));
  daemon.become("waiting", "gone");
  await settle();
  expect(lost).toStrictEqual([]);
});

test("the network that was left by command is not joined again until a command says so", async () => {
  const { overlay, api, bringUp, watch, reasons, lost, pass, done } = setUp();
  await bringUp();
  watch();
  await overlay.leave(NETWORK);
  await settle();
  expect(lost[0]).toContain("was left by command");
  const second = bringUp();
  await pass(60_000);
  expect(api.calls).toStrictEqual([`join ${NETWORK}`, `leave ${NETWORK}`]);
  expect(reasons.at(-1)).toContain("was left by command");
  await overlay.join(NETWORK);
  await second;
  expect(done()).toBeDefined();
});

test("a leave that failed leaves nothing changed", async () => {
  const { overlay, api, bringUp, watch, lost, pass } = setUp();
  await bringUp();
  watch();
  api.failure = trouble("silent", "no answer within 3 s");
  await expect(overlay.leave(NETWORK)).rejects.toThrow("no answer");
  api.failure = undefined;
  await pass(10_000, 5000);
  expect(lost).toStrictEqual([]);
});

test("leaving a network that is not joined is refused", async () => {
  const { overlay } = setUp();
  await expect(overlay.leave("1d71939404000001")).rejects.toMatchObject({
    code: "E_OVERLAY_NETWORK",
    message: "Cannot leave network 1d71939404000001: this node has not joined it",
  });
});
