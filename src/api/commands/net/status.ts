import type { Clock } from "../../../base/clock.ts";
import { integer, object, withDefault } from "../../../base/schema.ts";
import { CommandError } from "../../../command/command.ts";
import type { NetworkControl } from "../../../network/status.ts";
import { builtin } from "../../services.ts";

const MAX_WAIT_MS = 60_000;

export const command = builtin({
  name: "net.status",
  summary:
    "Shows how the network came up, every interface with what was tried on it, and can wait for a change",
  scope: "host",
  access: "read",
  result:
    "Object of `version` (number that changes with every change, to be sent back as `since`), `state` (up or " +
    "searching), `method` (config, dhcp, fallback or null), `round`, `reason`, `sinceMs`, `config` ({file, " +
    "isPresent, problems}), `controllers` (array of {url, isReached, reason}), `interfaces` (array of {name, mac, " +
    "kind, isUp, hasCarrier, mtu, master, addresses, protocol, lease, tried: array of {method, isReached, reason, " +
    "endMs}}) and `dns` ({servers, search}); times are milliseconds from kernel start",
  args: object({
    since: integer({
      description: "Version seen last; without it the answer comes at once",
      minimum: 0,
    }),
    wait_ms: withDefault(
      integer({
        description: "Milliseconds to wait for another version than `since`",
        minimum: 0,
        maximum: MAX_WAIT_MS,
      }),
      0,
    ),
  }),
  run: async ({ network, clock }, { since, wait_ms: waitMs }, { signal }) => {
    if (network === null) {
      throw new CommandError(
        406,
        "Cannot show the network: this agent is a guest on a host, expected a machine booted by node0",
      );
    }
    const changes = changesOf(network, clock);
    if (since === changes.version && waitMs > 0) await changes.wait({ clock, waitMs, signal });
    return { version: changes.version, ...network.status() };
  },
});

/** Counts the changes of one network. */
class Changes {
  /** Begins with the time, so that the number of an agent that was restarted is not taken for ours. */
  version: number;
  readonly #waiting = new Set<() => void>();

  constructor(network: NetworkControl, clock: Clock) {
    this.version = Math.floor(clock.wallMs());
    network.onStatus(() => {
      this.version += 1;
      for (const wake of [...this.#waiting]) wake();
    });
  }

  /** Resolves with the next change, when the time is over, or when the agent goes down. */
  wait(limits: { clock: Clock; waitMs: number; signal: AbortSignal }): Promise<void> {
    const { clock, waitMs, signal } = limits;
    if (signal.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(waitMs, resolve);
    const wake = (): void => resolve();
    this.#waiting.add(wake);
    signal.addEventListener("abort", wake);
    return promise.finally(() => {
      cancel();
      this.#waiting.delete(wake);
      signal.removeEventListener("abort", wake);
    });
  }
}

const known = new WeakMap<NetworkControl, Changes>();

/** Kept for as long as the network itself: nobody has to end it. */
function changesOf(network: NetworkControl, clock: Clock): Changes {
  const found = known.get(network);
  if (found !== undefined) return found;
  const changes = new Changes(network, clock);
  known.set(network, changes);
  return changes;
}
