import { DEFAULT_BACKOFF } from "../base/backoff.ts";
import type { Phase, PhaseContext } from "../sequencer/phase.ts";
import type { Milestone } from "../startup/types.ts";

/** Start-up services, in three groups. */
export interface BootServices {
  /** Asked when the turn of a group comes: a text says why nothing is started. */
  skip(milestone: Milestone): string | undefined;
  /** Starts a group; resolves when it is known of each whether it runs, rejects when one does not. */
  run(milestone: Milestone, context: PhaseContext): Promise<string>;
}

/** What the boot sequence asks of the machine. Tests pass one that records. */
export interface BootMachine {
  /** Mounts, kernel settings, host name, cgroups. Resolves with one line about them. */
  prepareSystem(): Promise<string>;
  readonly network: BootConnection;
  /** Null without `zerotier=` on the kernel command line. */
  readonly overlay: BootConnection | null;
  /** The key from a controller, and the private configuration it opens. */
  readonly unlock: BootConnection;
  /** A controller that knows the machine by its client certificate. */
  readonly session: BootConnection;
  readonly ssh: BootConnection;
  readonly services: BootServices;
  /**
   * Opens the endpoint on the network, or finds it open.
   *
   * @returns Addresses it listens on, for example `0.0.0.0:6379`; none without a password.
   */
  openApi(signal: AbortSignal): Promise<readonly string[]>;
}

/** Something that is brought up, watched, and brought up again when it is lost. */
export interface BootConnection {
  /** Asked when its turn comes: a text says why there is nothing to bring up. */
  skip?(): string | undefined;
  /** One attempt; resolves with what was reached. */
  bringUp(context: PhaseContext): Promise<string>;
  /** Resolves when something changed that makes another attempt worth while. */
  changed(signal: AbortSignal): Promise<void>;
  watch(lost: (reason: string) => void, signal: AbortSignal): void;
  /** True: the phases after it do not wait for its retries. Asked when its turn comes. */
  isOptional?(): boolean;
}

const CONNECTION_BACKOFF = { ...DEFAULT_BACKOFF, initialMs: 1000 };

/** The phases of the boot, in order. Nothing runs here. */
export function buildBootSequence(machine: BootMachine): Phase[] {
  return [
    { id: "system", run: () => machine.prepareSystem(), onFailure: "fatal" },
    services("init", machine.services),
    connection("network", machine.network),
    machine.overlay === null
      ? absent("overlay", "no zerotier= on the kernel command line")
      : connection("overlay", machine.overlay),
    connection("unlock", machine.unlock),
    connection("controller-tls", machine.session),
    // The endpoint does not need it, and people who wait for one of the two wait for both.
    { ...connection("ssh", machine.ssh), background: "all" },
    services("net", machine.services),
    absent("flists", "no file lists configured"),
    { id: "api", run: ({ signal }) => openApi(machine, signal), onFailure: "fatal" },
    services("boot", machine.services),
  ];
}

/** The boot goes on without services that do not run. */
function services(milestone: Milestone, part: BootServices): Phase {
  return {
    id: `services.${milestone}`,
    skip: () => part.skip(milestone),
    run: (context) => part.run(milestone, context),
    onFailure: "continue",
  };
}

/** A phase that is tried for ever, and again when what it reached is lost. */
function connection(id: string, part: BootConnection): Phase {
  return {
    id,
    skip: () => part.skip?.(),
    run: (context) => part.bringUp(context),
    retry: {
      backoff: CONNECTION_BACKOFF,
      attempts: "forever",
      wake: (signal) => part.changed(signal),
    },
    watch: (lost, signal) => part.watch(lost, signal),
    background: () => (part.isOptional?.() === true ? "retries" : undefined),
  };
}

/** A phase that has its place in the sequence but nothing to do. */
function absent(id: string, reason: string): Phase {
  return { id, run: async () => reason, skip: () => reason };
}

async function openApi(machine: BootMachine, signal: AbortSignal): Promise<string> {
  const addresses = await machine.openApi(signal);
  return addresses.length === 0
    ? "no password, so only the unix socket answers"
    : `listening on ${addresses.join(", ")}`;
}
