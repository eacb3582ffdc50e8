import {
  DEFAULT_KERNEL_SETTINGS,
  DEFAULT_PORT,
  type KernelSettings,
  type ListenAddress,
} from "../config/kernel-words.ts";
import { type OpenPort, parseOpenPort } from "../config/node-config-firewall.ts";
import type { FirewallPolicy } from "../network/firewall-rules.ts";
import type { OverlayReached } from "../network/overlay/types.ts";

const SSH_PORT = 22;
const ANYWHERE: readonly ListenAddress[] = ["0.0.0.0", "::"].map((host) => ({
  host,
  port: SSH_PORT,
}));

export interface AccessInput {
  readonly settings: Pick<KernelSettings, "listen" | "zerotier">;
  /** Null until the overlay is joined. */
  readonly overlay: OverlayReached | null;
  /** UDP port of the overlay's service. */
  readonly overlayPort: number | null;
  readonly firewall: {
    readonly enabled: boolean;
    readonly allow_from: readonly string[];
    readonly open: readonly string[];
    /** Further TCP ports for the overlay. */
    readonly ports?: readonly number[];
  };
}

/** Where endpoint and sshd listen, and who gets through to them. */
export interface Access {
  readonly listen: readonly ListenAddress[];
  /** Where sshd listens. */
  readonly ssh: readonly ListenAddress[];
  /** Null: inbound packets are not filtered. */
  readonly firewall: FirewallPolicy | null;
}

/**
 * A machine with an overlay is reached over the overlay and loopback alone; one without listens on
 * every address, behind its password. `node0.listen=` is stronger in both cases: the addresses it
 * names are listened on, and their ports are open to everybody.
 */
export function planAccess({ settings, overlay, overlayPort, firewall }: AccessInput): Access {
  const isExplicit = settings.listen !== DEFAULT_KERNEL_SETTINGS.listen;
  if (overlay === null) return { listen: settings.listen, ssh: ANYWHERE, firewall: null };
  const own = overlay.addresses.map((address) => address.replace(/\/\d+$/, ""));
  const inside = (port: number): ListenAddress[] =>
    ["127.0.0.1", ...own].map((host) => ({ host, port }));
  const listen = isExplicit ? settings.listen : inside(DEFAULT_PORT);
  const ssh = inside(SSH_PORT);
  if (!firewall.enabled) return { listen, ssh, firewall: null };
  const ours = [...listen.map(({ port }) => port), SSH_PORT, ...(firewall.ports ?? [])];
  const ports = [...new Set(ours)];
  const outside = isExplicit ? settings.listen.filter(({ host }) => !isLoopback(host)) : [];
  const open: OpenPort[] = outside.map(({ port }) => ({ protocol: "tcp", port }));
  return {
    listen,
    ssh,
    firewall: {
      overlayInterfaces: [overlay.interface],
      ports,
      zerotierPort: overlayPort,
      allowFrom: firewall.allow_from,
      open: [...open, ...firewall.open.flatMap((text) => parseOpenPort(text) ?? [])],
    },
  };
}

const isLoopback = (host: string): boolean => host === "::1" || host.startsWith("127.");
