import type { Clock } from "../base/clock.ts";
import type { ControllerConfig } from "../config/network-types.ts";
import type { Logger } from "../log/logger.ts";
import { FALLBACK_CONTROLLER } from "../network/fallback-address.ts";
import { linuxServiceHost } from "../service/linux-host.ts";
import type { Files } from "../sys/files.ts";
import type { Links } from "../sys/links.ts";
import { type HeartbeatRequest, VAULT } from "./controller-api.ts";
import { ControllerClient } from "./controller-client.ts";
import { Gocryptfs } from "./gocryptfs.ts";
import { Heartbeat } from "./heartbeat.ts";
import { machineFacts } from "./machine-facts.ts";
import type { NodeClock } from "./node-clock.ts";
import { PrivateFiles } from "./private-files.ts";
import { Session } from "./session.ts";
import { Unlock, type UnlockOptions } from "./unlock.ts";

export interface VaultOptions {
  readonly files: Files;
  readonly links: Pick<Links, "list">;
  readonly clock: Clock;
  readonly nodeClock: NodeClock;
  readonly log: Logger;
  readonly version: string;
  /** Of net.toml as it is in force. */
  readonly controllers: () => readonly ControllerConfig[];
  /** True while the network is up by a fallback address. */
  readonly isFallback: () => boolean;
  /** Node id of the overlay; empty without. */
  readonly overlayId: () => string;
  readonly heartbeat: () => HeartbeatRequest;
  /** Directory with one cgroup for each service; null: no cgroups. */
  readonly cgroups: string | null;
  /** Default those of {@link VAULT}. */
  readonly directories?: NonNullable<UnlockOptions["directories"]>;
  /** State and output of gocryptfs. Default `/run/node0/services`. */
  readonly servicesDirectory?: string;
}

export interface OpenVault {
  readonly unlock: Unlock;
  readonly session: Session;
  /** Begins by itself with the first session. */
  readonly heartbeat: Heartbeat;
  readonly privateFiles: PrivateFiles;
}

/** The real parts of `unlock` and `controller-tls`. Nothing runs here. */
export function openVault(options: VaultOptions): OpenVault {
  const { files, clock, log, nodeClock, controllers, isFallback, cgroups, links } = options;
  const { version, overlayId, directories = VAULT, servicesDirectory } = options;
  const address = (): string | undefined => (isFallback() ? FALLBACK_CONTROLLER : undefined);
  const client = new ControllerClient({ controllers, address, files, clock });
  const { mountpoint } = directories;
  const host = linuxServiceHost(files, clock);
  const directory = servicesDirectory === undefined ? {} : { directory: servicesDirectory };
  const vault = new Gocryptfs({ files, clock, log, host, mountpoint, cgroups, ...directory });
  const facts = () => machineFacts({ files, links, version, overlayId });
  const unlock = new Unlock({ client, vault, facts, nodeClock, files, clock, log, directories });
  const identity = new PrivateFiles(mountpoint);
  const heartbeat = new Heartbeat({ client, identity, body: options.heartbeat, clock, log });
  const session = new Session({
    client,
    identity,
    nodeClock,
    log,
    onRefused: (reason) => unlock.again(reason),
    onReached: () => heartbeat.start(),
  });
  return { unlock, session, heartbeat, privateFiles: identity };
}
