/** What is known about a machine that tells whether it is a real one. */
export interface MachineHints {
  /** The CPU flag `hypervisor`: set by the hypervisor, never by hardware. */
  readonly hasHypervisorFlag: boolean;
  /** `/sys/hypervisor/type`; empty where there is none. */
  readonly hypervisorType: string;
  /** `sys_vendor` and `product_name` of the firmware, joined. */
  readonly firmware: string;
  /** Names of the available clock sources. */
  readonly clockSources: string;
  /** `container=` of PID 1; empty outside of containers. */
  readonly container: string;
  /** Whether this kernel can run virtual machines itself. */
  readonly hasKvmModule: boolean;
}

export interface Virtualization {
  /** For example `kvm`, `qemu`, `vmware`; empty on a plain machine. */
  readonly virtualizationSystem: string;
  /** `guest` inside of it, `host` where this machine offers it, else empty. */
  readonly virtualizationRole: string;
}

/** Firmware texts of hypervisors, more telling ones first. */
const FIRMWARE: readonly (readonly [pattern: RegExp, system: string])[] = [
  [/VMware/i, "vmware"],
  [/VirtualBox|innotek/i, "vbox"],
  [/Microsoft.*Virtual/i, "hyperv"],
  [/Xen/i, "xen"],
  [/Parallels/i, "parallels"],
  [/Amazon EC2|Google Compute|OpenStack|DigitalOcean|\bKVM\b/i, "kvm"],
  [/QEMU|Bochs/i, "qemu"],
];

/** A guess, best evidence first: container, hypervisor interface, clock source, firmware text. */
export function guessVirtualization(hints: MachineHints): Virtualization {
  const guest = guestSystem(hints);
  if (guest !== "") return { virtualizationSystem: guest, virtualizationRole: "guest" };
  if (hints.hasKvmModule) return { virtualizationSystem: "kvm", virtualizationRole: "host" };
  return { virtualizationSystem: "", virtualizationRole: "" };
}

function guestSystem(hints: MachineHints): string {
  if (hints.container !== "") return hints.container;
  if (hints.hypervisorType !== "") return hints.hypervisorType;
  // QEMU fills the firmware texts the same way with and without KVM; only KVM offers its clock.
  if (hints.clockSources.split(/\s+/).includes("kvm-clock")) return "kvm";
  const known = FIRMWARE.find(([pattern]) => pattern.test(hints.firmware));
  // Some boards of real machines carry such words too; without the flag (arm has none) QEMU still counts.
  if (known !== undefined && (hints.hasHypervisorFlag || known[1] === "qemu")) return known[1];
  return hints.hasHypervisorFlag ? "unknown" : "";
}
