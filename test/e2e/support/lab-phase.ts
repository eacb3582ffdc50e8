import { expect } from "vitest";
import type { NetworkStatus } from "../../../src/network/status.ts";
import type { PhaseStatus } from "../../../src/sequencer/types.ts";
import type { NetworkNodeEvent, NetworkNodeOptions } from "../../fixtures/network-node.ts";
import type { MachineLab } from "./machine-lab.ts";

/** Program of the drive that runs the phase. */
export const PHASE_PROGRAM = "test/fixtures/network-node.ts";

const NAME = "phase";
const POLL_MS = 300;

/** The network phase of an agent on the node's side of a lab. */
export class LabPhase {
  readonly #lab: MachineLab;
  #seen = 0;

  private constructor(lab: MachineLab) {
    this.#lab = lab;
  }

  static async start(
    lab: MachineLab,
    netToml: string,
    over: Partial<NetworkNodeOptions> = {},
  ): Promise<LabPhase> {
    await lab.write("/run/lab/net.toml", netToml);
    const options: NetworkNodeOptions = {
      directory: "/run/lab/dhcp",
      hook: "/usr/lib/node0/udhcpc-hook",
      noAutoNic: [],
      probes: [],
      netToml: "/run/lab/net.toml",
      retryMs: 1000,
      ...over,
    };
    await lab.start("node", "network-node.mjs", options, NAME);
    return new LabPhase(lab);
  }

  /** Waits for the next state of the phase. @returns how it is then. */
  async until(state: PhaseStatus["state"], timeoutMs = 60_000): Promise<PhaseStatus> {
    let found: PhaseStatus | undefined;
    const look = async (): Promise<string> => {
      const statuses = await this.statuses();
      const at = statuses.findIndex((status, index) => {
        return index >= this.#seen && status.state === state;
      });
      if (at >= 0) {
        found = statuses[at];
        this.#seen = at + 1;
        return state;
      }
      return statuses.map((status) => `${status.state}: ${status.reason}`).join("\n");
    };
    await expect.poll(look, { timeout: timeoutMs, interval: POLL_MS }).toBe(state);
    return found as PhaseStatus;
  }

  /** Everything the phase said so far, first to last. */
  async statuses(): Promise<PhaseStatus[]> {
    const events = await this.#lab.output<NetworkNodeEvent>(NAME);
    return events.filter((event) => "phase" in event);
  }

  /** What `net.status` would show. */
  async network(): Promise<NetworkStatus> {
    const answers = async (): Promise<NetworkStatus[]> =>
      (await this.#lab.output<NetworkNodeEvent>(NAME)).flatMap((event) =>
        "status" in event ? [event.status] : [],
      );
    const before = (await answers()).length;
    await this.#lab.order(NAME, { do: "status" });
    await expect
      .poll(async () => (await answers()).length, { timeout: 20_000, interval: POLL_MS })
      .toBeGreaterThan(before);
    return (await answers()).at(-1) as NetworkStatus;
  }
}
