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
  [/\bKVM\b/, "kvm"],
  [/QEMU|Bochs/, "qemu"],
];

/** Texts that real machines of the same makers carry too: they count with the CPU flag only. */
const AMBIGUOUS_FIRMWARE: typeof FIRMWARE = [
  [/VMware/i, "vmware"],
  [/VirtualBox|innotek/i, "vbox"],
  [/Microsoft.*Virtual/i, "hyperv"],
  [/Xen/, "xen"],
  [/Parallels/i, "parallels"],
  [/Amazon EC2|Google Compute|OpenStack|DigitalOcean/i, "kvm"],
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
  // On x86 QEMU fills the firmware texts the same way with and without KVM; only KVM offers its clock.
  if (hints.clockSources.split(/\s+/).includes("kvm-clock")) return "kvm";
  return (
    lookUp(FIRMWARE, hints.firmware) ??
    (hints.hasHypervisorFlag ? (lookUp(AMBIGUOUS_FIRMWARE, hints.firmware) ?? "unknown") : "")
  );
}

function lookUp(table: typeof FIRMWARE, firmware: string): string | undefined {
  return table.find(([pattern]) => pattern.test(firmware))?.[1];
}
