import type { Clock } from "../../base/clock.ts";
import { errorText } from "../../base/errors.ts";
import type { Logger } from "../../log/logger.ts";
import { linuxServiceHost } from "../../service/linux-host.ts";
import { SupervisedService } from "../../service/supervised-service.ts";
import type { Files } from "../../sys/files.ts";
import type { OverlayReached } from "./types.ts";
import { ZeroTierOverlay, type ZeroTierOverlayOptions } from "./zerotier.ts";
import { ZEROTIER_PORT, ZeroTierApi } from "./zerotier-api.ts";
import { ZeroTierHome, type ZeroTierHomeOptions } from "./zerotier-home.ts";

export interface OverlayOptions extends ZeroTierHomeOptions {
  /** 16 lower-case hexadecimal digits. */
  readonly network: string;
  readonly clock: Clock;
  readonly files: Files;
  readonly log: Logger;
  /** For example `/sys/fs/cgroup/services`; null where there is no cgroup v2. */
  readonly cgroups: string | null;
  /** Default: what Node.js lists, which leaves out links without carrier. */
  readonly onLink?: ZeroTierOverlayOptions["onLink"];
  readonly onReached?: (reached: OverlayReached) => void;
}

export interface OpenedOverlay {
  readonly overlay: ZeroTierOverlay;
  readonly service: SupervisedService;
  /** UDP port of the service: that of `local.conf`, or its own default. */
  port(): number;
  /** What of the operator's files is not used, one sentence each. */
  problems(): readonly string[];
  /**
   * Takes the identity of a place that has appeared since the start, for example with the unlocked
   * configuration: the service is started again with it. False when it is in use already.
   */
  useKeptIdentity(): Promise<boolean>;
}

/** Where distributions and the image put it, beside `PATH`. */
export const ZEROTIER_PROGRAMS = ["zerotier-one", "/usr/sbin/zerotier-one"] as const;

/** Builds the overlay of a machine. Nothing runs before its phase does. */
export function openOverlay(options: OverlayOptions): OpenedOverlay {
  const { clock, files, log, cgroups, network } = options;
  const home = new ZeroTierHome(options);
  const service = new SupervisedService(
    {
      name: "zerotier-one",
      programs: ZEROTIER_PROGRAMS,
      // It neither looks for rights it has anyway nor gives them up: links are made with them.
      args: ["-U", `-p${ZEROTIER_PORT}`, home.directory],
      dir: "/",
      prepare: () => {
        home.prepare();
        for (const problem of home.problems) log.warn("overlay setting not used", { problem });
      },
    },
    { host: linuxServiceHost(files, clock), files, clock, log, cgroups },
  );
  const api = new ZeroTierApi({ files, clock, home: home.directory, port: () => home.port });
  const overlay = new ZeroTierOverlay({
    network,
    daemon: service,
    api,
    clock,
    log,
    onLink: options.onLink ?? listedAddresses,
    onReached: (reached) => {
      keepIdentity(home, log);
      options.onReached?.(reached);
    },
  });
  return {
    overlay,
    service,
    port: () => home.port,
    problems: () => home.problems,
    useKeptIdentity: async () => {
      if (!home.hasOtherIdentity()) {
        keepIdentity(home, log);
        return false;
      }
      await service.restart("another identity is kept");
      return true;
    },
  };
}

/** A machine whose identity cannot be kept works until it is switched off. */
function keepIdentity(home: ZeroTierHome, log: Logger): void {
  try {
    const place = home.keepIdentity();
    if (place !== undefined) log.info("overlay identity kept", { place });
  } catch (error) {
    log.warn("overlay identity not kept", { cause: errorText(error) });
  }
}

async function listedAddresses(interfaceName: string): Promise<string[]> {
  const { networkInterfaces } = await import("node:os");
  return (networkInterfaces()[interfaceName] ?? []).map(({ address }) => address);
}
