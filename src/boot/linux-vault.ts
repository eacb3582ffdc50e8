import type { Clock } from "../base/clock.ts";
import type { ListenAddress } from "../config/kernel-words.ts";
import type { Logger } from "../log/logger.ts";
import type { NodeNetwork } from "../network/node-network.ts";
import type { PhaseStatus } from "../sequencer/types.ts";
import { linuxFiles } from "../sys/files-linux.ts";
import { linuxLinks } from "../sys/links-linux.ts";
import { readMounts } from "../sys/mounts.ts";
import { type HeartbeatRequest, PRIVATE_FILES, VAULT } from "../vault/controller-api.ts";
import type { NodeClock } from "../vault/node-clock.ts";
import type { MachineOverlay } from "./machine-overlay.ts";
import { MachineSsh } from "./machine-ssh.ts";
import { MachineVault } from "./machine-vault.ts";
import { CGROUP_ROOT, readHostname } from "./system.ts";
import { UnlockedFiles } from "./unlocked-files.ts";

export interface LinuxVaultOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly nodeClock: NodeClock;
  readonly network: NodeNetwork;
  readonly overlay: MachineOverlay | null;
  /** Release and revision of the agent. */
  readonly version: string;
  readonly timeline: () => readonly PhaseStatus[];
  /** Reads the password again. @returns What could not be used, one sentence each. */
  readonly reloadPassword: () => Promise<readonly string[]>;
}

/** The phases `unlock` and `controller-tls` of the real machine, and what follows an unlock. */
export function linuxVault(options: LinuxVaultOptions): MachineVault {
  const { clock, log, nodeClock, network, overlay, version } = options;
  const unlocked = new UnlockedFiles({ files: linuxFiles, log });
  return new MachineVault({
    isMounted: () =>
      readMounts(linuxFiles).some(({ mountpoint }) => mountpoint === VAULT.mountpoint),
    controllers: () => network.loaded.config.controllers.length,
    open: async () => {
      const { openVault } = await import("../vault/open-vault.ts");
      return openVault({
        files: linuxFiles,
        links: linuxLinks(linuxFiles),
        clock,
        nodeClock,
        log: log.child("vault"),
        version,
        controllers: () => network.loaded.config.controllers,
        isFallback: () => network.status().method === "fallback",
        overlayId: () => overlay?.nodeId ?? "",
        heartbeat: () => heartbeat(options),
        cgroups: serviceCgroups(),
      });
    },
    onUnlocked: async ({ privateFiles }) => {
      const problems = [...(await options.reloadPassword())];
      const net = await unlocked.takeNetToml(privateFiles);
      problems.push(net.problem, await unlocked.takeOverlayIdentity(privateFiles));
      problems.push(await unlocked.takeStartup(privateFiles));
      await overlay?.useKeptIdentity();
      // Not before the answer of the controller was used: from here on the network is looked for anew.
      if (net.isChanged) await network.reload();
      return problems.flatMap((problem) => (problem === "" ? [] : `; ${problem}`)).join("");
    },
  });
}

/** The phase `ssh` of the real machine. */
export function linuxSsh(
  { clock, log }: Pick<LinuxVaultOptions, "clock" | "log">,
  parts: { readonly isUnlocked: () => boolean; readonly listen: readonly ListenAddress[] },
): MachineSsh {
  const { isUnlocked } = parts;
  return new MachineSsh({
    isUnlocked,
    listen: parts.listen,
    open: async (listen) => {
      const { SshService } = await import("../service/sshd.ts");
      const { linuxServiceHost } = await import("../service/linux-host.ts");
      return new SshService({
        host: linuxServiceHost(linuxFiles, clock),
        files: linuxFiles,
        clock,
        log: log.child("sshd"),
        listen,
        settings: `${VAULT.mountpoint}/${PRIVATE_FILES.sshDirectory}`,
        isUnlocked,
        cgroups: serviceCgroups(),
      });
    },
  });
}

/** Null without cgroup v2. */
export function serviceCgroups(): string | null {
  return linuxFiles.exists(`${CGROUP_ROOT}/cgroup.controllers`) ? `${CGROUP_ROOT}/services` : null;
}

function heartbeat({ version, network, timeline, clock }: LinuxVaultOptions): HeartbeatRequest {
  return {
    version,
    hostname: readHostname(linuxFiles),
    uptimeS: Math.round(clock.monotonicMs() / MS_PER_SECOND),
    addresses: network.addressLines(),
    phases: timeline(),
  };
}

const MS_PER_SECOND = 1000;
