import { expect, test } from "vitest";
import type { Access } from "../../../src/boot/access.ts";
import { type JoinedOverlay, MachineOverlay } from "../../../src/boot/machine-overlay.ts";
import type { FirewallPolicy } from "../../../src/network/firewall-rules.ts";
import type { OverlayReached } from "../../../src/network/overlay/types.ts";
import type { PhaseContext } from "../../../src/sequencer/phase.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

const REACHED: OverlayReached = {
  nodeId: "abcdef0123",
  network: "8056c2e21c000001",
  interface: "ztabcdefgh",
  addresses: ["10.147.17.5/24"],
};

const POLICY: FirewallPolicy = {
  overlayInterfaces: ["ztabcdefgh"],
  ports: [6379, 22],
  zerotierPort: 9993,
  allowFrom: [],
  open: [],
};

const CONTEXT: PhaseContext = {
  attempt: 1,
  signal: new AbortController().signal,
  setReason: () => {},
  progress: () => {},
};

/** An overlay that is reached at once, and what the machine did about it, in order. */
function machine({
  policy = POLICY as FirewallPolicy | null,
  filter = async (): Promise<void> => {},
  kept = async (): Promise<boolean> => true,
} = {}) {
  const steps: string[] = [];
  const log = new QuietLog();
  const joined: JoinedOverlay = {
    bringUp: async () => REACHED,
    changed: async () => {},
    watch: (lost) => lost("gone"),
    info: async () => ({ address: REACHED.nodeId }),
    list: async () => [],
    join: async (network) => void steps.push(`join ${network}`),
    leave: async (network) => void steps.push(`leave ${network}`),
  };
  const overlay = new MachineOverlay({
    log,
    open: async () => {
      steps.push("open");
      return {
        overlay: joined,
        useKeptIdentity: async () => {
          steps.push("kept identity");
          return kept();
        },
      };
    },
    planAccess: (): Access => ({ listen: [], ssh: [], firewall: policy }),
    applyFirewall: async (applied) => {
      steps.push(applied === null ? "no filter" : "filter");
      await filter();
    },
    setHostname: (name) => void steps.push(name),
    onAccess: async () => void steps.push("access"),
  });
  return { overlay, steps, log };
}

test("the filter is set before anything listens", async () => {
  const { overlay, steps } = machine();
  const reason = await overlay.bringUp(CONTEXT);
  expect(steps).toEqual(["open", "node0-abcdef0123", "filter", "access"]);
  expect(reason).toBe("ztabcdefgh 10.147.17.5/24 on 8056c2e21c000001 as abcdef0123");
});

test("a filter that cannot be set is told and does not stop the boot", async () => {
  const { overlay, steps, log } = machine({
    filter: async () => {
      throw new Error("nft is not installed");
    },
  });
  expect(await overlay.bringUp(CONTEXT)).toContain("packet filter not set: nft is not installed");
  expect(steps).toContain("access");
  expect(log.lines.map(([level]) => level)).toEqual(["error"]);
});

test("a filter that is turned off is told", async () => {
  const { overlay, steps } = machine({ policy: null });
  expect(await overlay.bringUp(CONTEXT)).toContain("packet filter off");
  expect(steps).toContain("no filter");
});

test("the overlay is opened once, by whoever asks first", async () => {
  const { overlay, steps } = machine();
  await overlay.join("8056c2e21c000002");
  expect(await overlay.info()).toEqual({ address: "abcdef0123" });
  await overlay.bringUp(CONTEXT);
  expect(steps.filter((step) => step === "open")).toHaveLength(1);
});

test("its loss is passed on", async () => {
  const { overlay } = machine();
  await overlay.bringUp(CONTEXT);
  const reasons: string[] = [];
  overlay.watch((reason) => reasons.push(reason), CONTEXT.signal);
  expect(reasons).toEqual(["gone"]);
});

test("the kept identity is taken after the overlay was loaded, and trouble with it is only told", async () => {
  const { overlay, steps, log } = machine({
    kept: async () => {
      throw new Error("read-only file system");
    },
  });
  await overlay.useKeptIdentity();
  expect(steps).toEqual([]);
  expect(overlay.nodeId).toBe("");
  await overlay.bringUp(CONTEXT);
  expect(overlay.nodeId).toBe("abcdef0123");
  await overlay.useKeptIdentity();
  expect(steps.at(-1)).toBe("kept identity");
  expect(JSON.stringify(log)).toContain("read-only file system");
});
