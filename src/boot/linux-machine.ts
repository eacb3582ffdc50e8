import type { Clock } from "../base/clock.ts";
import type { KernelSettings, ListenAddress } from "../config/kernel-words.ts";
import { loadNetworkConfig } from "../config/network-config.ts";
import type { Logger } from "../log/logger.ts";
import type { Firewall } from "../network/firewall.ts";
import { NodeNetwork } from "../network/node-network.ts";
import { TlsReach } from "../network/tls-reach.ts";
import { Udhcpc } from "../network/udhcpc.ts";
import { linuxFiles } from "../sys/files-linux.ts";
import { linuxLinks } from "../sys/links-linux.ts";
import { loadModule } from "../sys/load-module.ts";
import { openNetworkEvents } from "../sys/network-events.ts";
import { setWallClock } from "../sys/set-clock.ts";
import { ClockedReach } from "../vault/clocked-reach.ts";
import { NodeClock } from "../vault/node-clock.ts";
import { type Access, type AccessInput, planAccess } from "./access.ts";
import { type LinuxVaultOptions, linuxSsh, linuxVault, serviceCgroups } from "./linux-vault.ts";
import { MachineOverlay } from "./machine-overlay.ts";
import type { MachineSsh } from "./machine-ssh.ts";
import type { BootMachine, BootServices } from "./sequence.ts";
import { CGROUP_ROOT, prepareSystem, RUN_DIRECTORY, setHostname } from "./system.ts";
import { UNLOCKED_NET_TOML } from "./unlocked-files.ts";

export interface LinuxMachineOptions
  extends Pick<LinuxVaultOptions, "version" | "timeline" | "reloadPassword"> {
  readonly settings: KernelSettings;
  readonly clock: Clock;
  readonly log: Logger;
  /** When the software was made, milliseconds since the epoch; null where nobody knows. */
  readonly builtAtMs: number | null;
  /** Path of net.toml. */
  readonly networkFile: string;
  readonly firewall: AccessInput["firewall"];
  readonly services: BootServices;
  /**
   * Opens the endpoint on these addresses; what is open stays open.
   *
   * @returns Addresses it listens on; none without a password.
   */
  readonly openApi: (listen: readonly ListenAddress[]) => Promise<readonly string[]>;
}

export interface LinuxMachine extends BootMachine {
  readonly network: NodeNetwork;
  readonly overlay: MachineOverlay | null;
  readonly ssh: MachineSsh;
  /** Takes a newer revision of the private configuration. @see MachineVault.renew */
  renew(): Promise<boolean>;
  /** There is a password now: opens what could not be opened without one. */
  onPassword(): Promise<void>;
}

/** The real machine: kernel interfaces, udhcpc, and the endpoint it is given. */
export function linuxMachine(options: LinuxMachineOptions): LinuxMachine {
  const { settings, log, firewall } = options;
  const files = linuxFiles;
  const links = linuxLinks(files);
  let access = planAccess({ settings, overlay: null, overlayPort: null, firewall });
  let isApiOpen = false;
  const reopenApi = async (): Promise<void> => {
    if (isApiOpen) await options.openApi(access.listen);
  };
  const nodeClock = new NodeClock({
    log,
    wallMs: () => Date.now(),
    setWallMs: setWallClock,
    builtAtMs: options.builtAtMs,
  });
  const network = openNetwork(options, nodeClock);
  const overlay = openMachineOverlay(options, async (changed) => {
    access = changed;
    await ssh.setListen(access.ssh);
    await reopenApi();
  });
  const vault = linuxVault({ ...options, nodeClock, network, overlay });
  const isUnlocked = (): boolean => vault.isUnlocked;
  const ssh = linuxSsh(options, { isUnlocked, listen: access.ssh });
  return {
    overlay,
    unlock: vault.unlock,
    session: vault.session,
    ssh,
    services: options.services,
    renew: () => vault.renew(),
    onPassword: reopenApi,
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
    network,
    openApi: async () => {
      isApiOpen = true;
      return options.openApi(access.listen);
    },
  };
}

/** What is heavy is loaded when the search for a network needs it. */
function openNetwork(
  { settings, networkFile, clock, log }: LinuxMachineOptions,
  nodeClock: NodeClock,
): NodeNetwork {
  const files = linuxFiles;
  const links = linuxLinks(files);
  return new NodeNetwork({
    clock,
    files,
    links,
    log,
    dhcp: new Udhcpc({ files, log, cgroup: `${CGROUP_ROOT}/services/udhcpc` }),
    kernel: async () => (await import("../sys/kernel-network-linux.ts")).openKernelNetwork(),
    events: async () => openNetworkEvents({ clock, log }),
    guard: async () => {
      const { ArpGuard } = await import("../network/arp-guard.ts");
      const { openArpSocket: openSocket } = await import("../sys/arp-linux.ts");
      const ownMacs = (): string[] => links.list().map(({ mac }) => mac);
      return new ArpGuard({ clock, log, openSocket, ownMacs });
    },
    loadConfig: async () => {
      const own = await loadNetworkConfig(files, networkFile);
      if (!files.exists(UNLOCKED_NET_TOML)) return own;
      const { addNetworkConfig } = await import("../config/network-config-extra.ts");
      return addNetworkConfig(own, await loadNetworkConfig(files, UNLOCKED_NET_TOML));
    },
    openReach: ({ controllers, probes }) => {
      const reach = new TlsReach({ controllers, probes: [...settings.probes, ...probes], files });
      if (controllers.length === 0) return reach;
      return new ClockedReach({ reach, controllers, nodeClock, clock, files, log });
    },
    noAutoNic: settings.noAutoNic,
    loadModule,
    onHostname: (name) => {
      // The overlay gives the machine a name of its own.
      if (settings.hostname === null && settings.zerotier === null) setHostname(files, name);
    },
  });
}

/** Null without `zerotier=`. Its parts are loaded when its phase runs: most machines boot without. */
function openMachineOverlay(
  { settings, firewall, clock, log }: LinuxMachineOptions,
  onAccess: (access: Access) => Promise<void>,
): MachineOverlay | null {
  const network = settings.zerotier;
  if (network === null) return null;
  const files = linuxFiles;
  let port = (): number | null => null;
  let filter: Firewall | undefined;
  return new MachineOverlay({
    log,
    open: async () => {
      const { openOverlay } = await import("../network/overlay/open-overlay.ts");
      const cgroups = serviceCgroups();
      const opened = openOverlay({ network, clock, files, log: log.child("overlay"), cgroups });
      port = opened.port;
      return opened;
    },
    planAccess: (overlay) => planAccess({ settings, overlay, overlayPort: port(), firewall }),
    applyFirewall: async (policy) => {
      const { Firewall: PacketFilter } = await import("../network/firewall.ts");
      const { OpeningsFile } = await import("../network/firewall-openings.ts");
      const opened = new OpeningsFile(files, RUN_DIRECTORY);
      filter ??= new PacketFilter({ openings: () => opened.read() });
      await (policy === null ? filter.remove() : filter.apply(policy));
    },
    setHostname: (name) => setHostname(files, settings.hostname ?? name),
    onAccess,
  });
}
