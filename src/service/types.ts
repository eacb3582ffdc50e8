/** A daemon of the machine, as data. Nothing runs while it is described. */
export interface ServiceSpec {
  /** Letters, digits and hyphens: names the state files and the cgroup. */
  readonly name: string;
  /** Names looked up in `PATH`, or absolute paths. The first that is an executable file is taken. */
  readonly programs: readonly string[];
  /** Without the program's name. They are public on the machine: never secrets. */
  readonly args: readonly string[];
  /** Variables of the agent the daemon may see. Default: `PATH` alone. */
  readonly passEnv?: readonly string[];
  /** Added to those. */
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory. Default `/`. */
  readonly dir?: string;
  /** Called before each start, not when a running daemon is taken over. A throw puts the start off. */
  readonly prepare?: () => Promise<void> | void;
  /**
   * What the daemon leaves behind when it ends is killed before the next start. Default true; false for
   * a daemon whose children live on by right, for example sessions of sshd.
   */
  readonly killsLeftovers?: boolean;
  /** How long a stop may take before the hard way. Default 10 s. */
  readonly stopLimitMs?: number;
}

/** `waiting`: it shall run and does not; the reason says why and when the next start is. */
export type ServiceState = "stopped" | "starting" | "running" | "waiting" | "stopping";

export interface ServiceStatus {
  readonly name: string;
  readonly state: ServiceState;
  /** One line in plain words. */
  readonly reason: string;
  /** Null while it does not run. */
  readonly pid: number | null;
  /** The running daemon was started by an agent before this one. */
  readonly isAdopted: boolean;
  /** Starts by this agent after the first one. */
  readonly restarts: number;
  /** Milliseconds of the monotonic clock, when the state was entered. */
  readonly sinceMs: number;
}
