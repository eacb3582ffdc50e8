import type { Clock } from "../base/clock.ts";
import type { BuiltinCommand, Command, ProcessCommand } from "../command/command.ts";
import type { MessageHub } from "../job/message-hub.ts";
import type { JobControl, OwnJobs } from "../job/types.ts";
import type { LogLevel } from "../log/logger.ts";
import type { OverlayControl } from "../network/overlay/types.ts";
import type { NetworkControl } from "../network/status.ts";
import type { RecordControl } from "../records/types.ts";
import type { PhaseStatus } from "../sequencer/types.ts";
import type { StatisticsControl } from "../stats/types.ts";
import type { KernelNetwork } from "../sys/network-state.ts";

/** Build identification, as `info.version` shows it. */
export interface Version {
  readonly branch: string;
  readonly revision: string;
  readonly dirty: boolean;
}

/** Ends the machine (or, on a host, the agent). The returned promise settles when the stop has begun. */
export interface Power {
  reboot(): Promise<void>;
  poweroff(): Promise<void>;
}

/** Takes what has changed in the private configuration: the password of the endpoint, the keys of ssh. */
export interface PasswordControl {
  /** Never rejects. `problems`: what could not be used, one sentence each, without the contents. */
  reload(): Promise<{
    /** A newer revision of the private configuration was mounted. */
    readonly isRenewed: boolean;
    readonly origin: "private" | "kernel" | "none";
    readonly isChanged: boolean;
    readonly problems: readonly string[];
  }>;
}

/** Everything a command may use. Commands never import an implementation. */
export interface Services {
  readonly clock: Clock;
  readonly version: Version;
  /** Directory of state that outlives the agent, not the boot: absolute, without a slash at its end. */
  readonly stateDir: string;
  readonly jobs: JobControl;
  readonly ownJobs: OwnJobs;
  /** Messages and results of all jobs. */
  readonly messages: MessageHub;
  /** Log records of all jobs: backlog, subscribers, log file. */
  readonly records: RecordControl;
  /** Null where the configuration switches them off. */
  readonly statistics: StatisticsControl | null;
  /** How much the agent writes to its own log. */
  readonly setLogLevel: (level: LogLevel) => void;
  readonly power: Power;
  readonly boot: {
    /** Phases in order. Empty on a host, where nothing is booted. */
    timeline(): readonly PhaseStatus[];
    /** How long the boot took in milliseconds; null while it goes on. */
    finishedMs(): number | null;
  };
  /** The search for a network; null on a host, whose network is not the agent's business. */
  readonly network: NetworkControl | null;
  /** Null where no overlay is configured. */
  readonly overlay: OverlayControl | null;
  /** The password of the endpoint; absent on a host, which gets it once. */
  readonly password?: PasswordControl | null;
  /** Links, addresses and routes of the kernel; loaded with the first use. */
  readonly kernelNetwork: () => Promise<KernelNetwork>;
  /** The main configuration in the shape of `config.get`. */
  readonly config: () => Readonly<Record<string, unknown>>;
}

/** A command of this agent. Each file below `api/commands/` exports one as `command`. */
export type NodeCommand = Command<Services>;

export const builtin = <A = unknown>(
  command: Omit<BuiltinCommand<Services, A>, "kind">,
): NodeCommand => ({ kind: "builtin", ...command });

export const program = <A>(command: Omit<ProcessCommand<A>, "kind">): NodeCommand => ({
  kind: "process",
  ...command,
});
