import { accelArgument } from "../../src/vm/accel.ts";
import type { Drive } from "./options.ts";

/** Everything QEMU is told; paths are absolute. */
export interface QemuArguments {
  readonly accel: "kvm" | "tcg";
  readonly memoryMiB: number;
  readonly cpus: number;
  /** Network cards, each in a user network of its own: card N has 10.0.(N+2).0/24. */
  readonly nics: number;
  /** Tap devices of the cards in place of user networks; empty: user networks. */
  readonly taps: readonly string[];
  /** True: the guest reaches nothing but the forwarded port. */
  readonly isRestricted: boolean;
  readonly boot:
    | {
        readonly kind: "direct";
        readonly kernel: string;
        readonly initrd: string;
        readonly commandLine: string;
      }
    | {
        readonly kind: "ipxe";
        /** File with the options of the first card, see {@link buildBootNetwork}. */
        readonly networkFile: string;
      };
  readonly diskPath: string | null;
  readonly diskFormat: "raw" | "qcow2";
  /** Raw files. */
  readonly readOnlyDrives: readonly string[];
  readonly drives?: readonly Drive[];
  /** What the hardware clock shows at the start; left out: the time of the host. */
  readonly clockBase?: string | undefined;
  readonly serialLog: string;
  readonly serialSocket: string;
  readonly qmpSocket: string;
}

/** Port of the endpoint inside the machine, and that of sshd. */
export const GUEST_PORT = 6379;
export const GUEST_SSH_PORT = 22;

/** As many cards as a machine can have in user networks. */
export const MOST_NICS = 8;

/** QEMU picks the port on this side itself, so no other program can take it in between. */
export const forwardOf = (guestPort: number): string => `tcp:127.0.0.1:0-:${guestPort}`;

/** Builds the argument list of one machine. It starts paused: links can be set before it runs. */
export function buildQemuArguments(options: QemuArguments): string[] {
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-S"],
    ...["-machine", "q35,sata=off,smbus=off,vmport=off", "-accel", accelArgument(options.accel)],
    ...["-cpu", options.accel === "kvm" ? "host" : "max"],
    ...["-m", String(options.memoryMiB), "-smp", String(options.cpus)],
    ...["-chardev", `socket,id=qmp,path=${quote(options.qmpSocket)},server=on,wait=off`],
    ...["-mon", "chardev=qmp,mode=control"],
    "-chardev",
    `socket,id=serial,path=${quote(options.serialSocket)},server=on,wait=off,logfile=${quote(options.serialLog)}`,
    ...["-device", "isa-serial,chardev=serial"],
    ...(options.clockBase === undefined ? [] : ["-rtc", `base=${quote(options.clockBase)}`]),
    ...diskArguments(options),
    ...(options.drives ?? []).flatMap(driveArguments),
    ...bootArguments(options),
    ...(options.taps.length > 0
      ? options.taps.flatMap(tapArguments)
      : Array.from({ length: options.nics }, (_, nic) => nicArguments(options, nic)).flat()),
  ];
}

function diskArguments({ diskPath, diskFormat, readOnlyDrives }: QemuArguments): string[] {
  const drives = readOnlyDrives.map((path) => `format=raw,readonly=on,file=${quote(path)}`);
  if (diskPath !== null) drives.unshift(`format=${diskFormat},file=${quote(diskPath)}`);
  return drives.flatMap((drive, index) => [
    ...["-drive", `id=disk${index},if=none,${drive}`],
    ...["-device", `virtio-blk-pci,drive=disk${index}`],
  ]);
}

function driveArguments({ path, bus }: Drive, index: number): string[] {
  const drive = ["-drive", `id=drive${index},if=none,format=raw,file=${quote(path)}`];
  if (bus === "virtio") return [...drive, "-device", `virtio-blk-pci,drive=drive${index}`];
  const controller = ["-device", `ahci,id=ahci${index}`];
  return [...drive, ...controller, "-device", `ide-hd,drive=drive${index},bus=ahci${index}.0`];
}

function bootArguments({ boot }: QemuArguments): string[] {
  if (boot.kind === "ipxe") return ["-readconfig", boot.networkFile];
  return ["-kernel", boot.kernel, "-initrd", boot.initrd, "-append", boot.commandLine];
}

/** The boot ROM is loaded only where it is used: without it the firmware is done sooner. */
function nicArguments(options: QemuArguments, nic: number): string[] {
  const isBootNic = options.boot.kind === "ipxe" && nic === 0;
  const forward = nic === 0 ? `,hostfwd=${forwardOf(GUEST_PORT)}` : "";
  const restrict = options.isRestricted ? ",restrict=on" : "";
  return [
    ...(isBootNic ? [] : ["-netdev", `user,id=n${nic},net=${networkOf(nic)}${restrict}${forward}`]),
    "-device",
    `virtio-net-pci,id=nic${nic},netdev=n${nic},mac=${macOf(nic)},${isBootNic ? "bootindex=1" : "romfile="}`,
  ];
}

/** QEMU would otherwise run the scripts of the host that put a tap device into a bridge. */
function tapArguments(tap: string, nic: number): string[] {
  return [
    ...["-netdev", `tap,id=n${nic},ifname=${tap},script=no,downscript=no`],
    ...["-device", `virtio-net-pci,id=nic${nic},netdev=n${nic},romfile=`],
  ];
}

/**
 * Text of a `-readconfig` file for the card iPXE boots from. The boot address contains the word that
 * protects the password file, and argument lists can be read by every user of the host.
 */
export function buildBootNetwork(bootUrl: string): string {
  return [
    '[netdev "n0"]',
    '  type = "user"',
    `  net = "${networkOf(0)}"`,
    `  hostfwd = "${forwardOf(GUEST_PORT)}"`,
    `  bootfile = "${bootUrl}"`,
    "",
  ].join("\n");
}

/** The same card has the same address in every run: that is what a controller knows a machine by. */
export function macOf(nic: number): string {
  return `52:54:00:12:34:${(0x56 + nic).toString(16)}`;
}

function networkOf(nic: number): string {
  return `10.0.${nic + 2}.0/24`;
}

/** QEMU separates options with commas; a comma inside a value is written twice. */
function quote(value: string): string {
  return value.replaceAll(",", ",,");
}
