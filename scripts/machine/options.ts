import type { GuestFile } from "./guest-files.ts";

/** A further disk of the machine. `sata` has the answers of a real drive (SMART, standby). */
export interface Drive {
  readonly path: string;
  readonly bus: "virtio" | "sata";
}

/** How to run one machine. Every member has a default but the image and the acceleration. */
export interface MachineOptions {
  readonly kernel: string;
  readonly initrd: string;
  readonly accel: "kvm" | "tcg";
  /** Added to the kernel command line of the runner. */
  readonly append?: string;
  /** Given to the machine as a file; without one the endpoint opens no network address. */
  readonly password?: string | null;
  /** Files the machine gets beside its image. Default none. */
  readonly files?: readonly GuestFile[];
  /** Default 1024. */
  readonly memoryMiB?: number;
  /** Default 2. */
  readonly cpus?: number;
  /** Default 1. */
  readonly nics?: number;
  /**
   * Tap devices, one for each card, in place of the user networks of `nics`: QEMU then gives the
   * machine neither DHCP nor a forwarded port, and root rights are needed.
   */
  readonly taps?: readonly string[];
  /** Process in whose network namespace QEMU runs, where the tap devices are. Not with `isDetached`. */
  readonly namespacePid?: number;
  /** Cards whose cable is out when the machine starts. */
  readonly linksDown?: readonly number[];
  /** What the hardware clock shows at the start, for example `2015-01-01`. Default: the time of the host. */
  readonly clockBase?: string;
  /** Default `direct`. */
  readonly boot?: "direct" | "ipxe";
  /** Raw or qcow2 file, or block device. */
  readonly diskPath?: string | null;
  /** Raw files the machine sees as read-only disks, behind the one of `diskPath`. */
  readonly readOnlyDrives?: readonly string[];
  /** Raw files the machine may write to, behind those. */
  readonly drives?: readonly Drive[];
  /** Default: a file in the machine's own temporary directory, gone after `stop`. */
  readonly serialLog?: string;
  /** True: the guest reaches nothing but the forwarded port. Default false. */
  readonly isRestricted?: boolean;
  /** True: the machine outlives this process. Default false. */
  readonly isDetached?: boolean;
  /** Empty directory for its sockets, removed by `stop`. Default: a new temporary one. */
  readonly directory?: string;
}
