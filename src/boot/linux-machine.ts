import type { Clock } from "../base/clock.ts";
import type { KernelSettings } from "../config/kernel-words.ts";
import type { Logger } from "../log/logger.ts";
import { DhcpNetwork } from "../network/dhcp-network.ts";
import { tcpProbe } from "../network/probe.ts";
import { Udhcpc } from "../network/udhcpc.ts";
import { linuxFiles } from "../sys/files-linux.ts";
import { linuxLinks } from "../sys/links-linux.ts";
import type { BootMachine } from "./sequence.ts";
import { CGROUP_ROOT, prepareSystem } from "./system.ts";

export interface LinuxMachineOptions {
  readonly settings: KernelSettings;
  readonly clock: Clock;
  readonly log: Logger;
  /** When the software was made, milliseconds since the epoch; null where nobody knows. */
  readonly builtAtMs: number | null;
  readonly openApi: BootMachine["openApi"];
}

export interface LinuxMachine extends BootMachine {
  readonly network: DhcpNetwork;
}

/** The real machine: kernel interfaces, udhcpc, and the endpoint it is given. */
export function linuxMachine(options: LinuxMachineOptions): LinuxMachine {
  const { settings, clock, log } = options;
  const files = linuxFiles;
  const links = linuxLinks(files);
  return {
    zerotier: settings.zerotier,
    prepareSystem: async () =>
      prepareSystem({
        files,
        log,
        hostname: settings.hostname,
        mac: links.list().find(({ isPhysical }) => isPhysical)?.mac ?? "",
        isDebug: settings.debug,
        pid: process.pid,
        builtAtMs: options.builtAtMs,
      }),
    network: new DhcpNetwork({
      clock,
      files,
      links,
      log,
      dhcp: new Udhcpc({ files, cgroup: `${CGROUP_ROOT}/services/udhcpc` }),
      probe: tcpProbe,
      probes: settings.probes,
      noAutoNic: settings.noAutoNic,
    }),
    openApi: options.openApi,
  };
}
