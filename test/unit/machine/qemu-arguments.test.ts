import { expect, test } from "vitest";
import {
  buildBootNetwork,
  buildQemuArguments,
  type QemuArguments,
} from "../../../scripts/machine/qemu-arguments.ts";

const OPTIONS: QemuArguments = {
  accel: "tcg",
  memoryMiB: 1024,
  cpus: 2,
  nics: 1,
  taps: [],
  isRestricted: false,
  boot: { kind: "direct", kernel: "/k", initrd: "/i", commandLine: "console=ttyS0 a,b" },
  diskPath: null,
  diskFormat: "raw",
  readOnlyDrives: [],
  serialLog: "/run/serial.log",
  serialSocket: "/run/serial.sock",
  qmpSocket: "/run/qmp.sock",
};

/** Values of every occurrence of one option. */
function valuesOf(args: readonly string[], option: string): string[] {
  return args.flatMap((word, index) => (word === option ? [args[index + 1] ?? ""] : []));
}

test("emulates processors in threads of their own", () => {
  const args = buildQemuArguments(OPTIONS);
  expect(valuesOf(args, "-accel")).toEqual(["tcg,thread=multi"]);
  expect(valuesOf(args, "-smp")).toEqual(["2"]);
});

test("starts paused, so that cables can be pulled before the first instruction", () => {
  expect(buildQemuArguments(OPTIONS)).toContain("-S");
});

test("never turns a reboot of the guest into an end", () => {
  expect(buildQemuArguments(OPTIONS)).not.toContain("-no-reboot");
});

test("hands over kernel, initial RAM file system and command line as single words", () => {
  const args = buildQemuArguments(OPTIONS);
  expect(valuesOf(args, "-kernel")).toEqual(["/k"]);
  expect(valuesOf(args, "-initrd")).toEqual(["/i"]);
  expect(valuesOf(args, "-append")).toEqual(["console=ttyS0 a,b"]);
});

test("starts the hardware clock where it is told, and otherwise leaves it to QEMU", () => {
  expect(buildQemuArguments(OPTIONS)).not.toContain("-rtc");
  const args = buildQemuArguments({ ...OPTIONS, clockBase: "2015-01-01" });
  expect(valuesOf(args, "-rtc")).toEqual(["base=2015-01-01"]);
});

test("forwards only a loopback port, on the first card", () => {
  const netdevs = valuesOf(buildQemuArguments({ ...OPTIONS, nics: 2 }), "-netdev");
  expect(netdevs).toEqual([
    "user,id=n0,net=10.0.2.0/24,hostfwd=tcp:127.0.0.1:0-:6379",
    "user,id=n1,net=10.0.3.0/24",
  ]);
});

test("keeps a restricted guest from reaching out on every card", () => {
  const args = buildQemuArguments({ ...OPTIONS, nics: 2, isRestricted: true });
  for (const netdev of valuesOf(args, "-netdev")) expect(netdev).toContain(",restrict=on");
});

test("has no network at all without cards", () => {
  const args = buildQemuArguments({ ...OPTIONS, nics: 0 });
  expect(valuesOf(args, "-netdev")).toEqual([]);
  expect(args.join(" ")).not.toContain("virtio-net");
});

test("lets iPXE boot from the first card and leaves its address out of the arguments", () => {
  const boot = { kind: "ipxe", networkFile: "/run/network.conf" } as const;
  const args = buildQemuArguments({ ...OPTIONS, nics: 2, boot });
  expect(valuesOf(args, "-readconfig")).toEqual(["/run/network.conf"]);
  expect(valuesOf(args, "-netdev")).toEqual(["user,id=n1,net=10.0.3.0/24"]);
  expect(valuesOf(args, "-device").filter((device) => device.startsWith("virtio-net"))).toEqual([
    "virtio-net-pci,id=nic0,netdev=n0,mac=52:54:00:12:34:56,bootindex=1",
    "virtio-net-pci,id=nic1,netdev=n1,mac=52:54:00:12:34:57,romfile=",
  ]);
  expect(args).not.toContain("-kernel");
});

test("puts each card on its tap device, without a user network and without scripts of the host", () => {
  const args = buildQemuArguments({ ...OPTIONS, nics: 0, taps: ["tap0", "tap1"] });
  expect(valuesOf(args, "-netdev")).toEqual([
    "tap,id=n0,ifname=tap0,script=no,downscript=no",
    "tap,id=n1,ifname=tap1,script=no,downscript=no",
  ]);
  expect(valuesOf(args, "-device").filter((device) => device.startsWith("virtio-net"))).toEqual([
    "virtio-net-pci,id=nic0,netdev=n0,romfile=",
    "virtio-net-pci,id=nic1,netdev=n1,romfile=",
  ]);
});

test("shows files as read-only disks behind the disk of the machine", () => {
  const args = buildQemuArguments({ ...OPTIONS, diskPath: "/d", readOnlyDrives: ["/a", "/b,c"] });
  expect(valuesOf(args, "-drive")).toEqual([
    "id=disk0,if=none,format=raw,file=/d",
    "id=disk1,if=none,format=raw,readonly=on,file=/a",
    "id=disk2,if=none,format=raw,readonly=on,file=/b,,c",
  ]);
});

test("shows further disks on the bus that is asked for", () => {
  const drives = [
    { path: "/a", bus: "virtio" as const },
    { path: "/b", bus: "sata" as const },
  ];
  const args = buildQemuArguments({ ...OPTIONS, drives });
  expect(valuesOf(args, "-drive")).toEqual([
    "id=drive0,if=none,format=raw,file=/a",
    "id=drive1,if=none,format=raw,file=/b",
  ]);
  expect(valuesOf(args, "-device").filter((device) => /blk|ahci/.test(device))).toEqual([
    "virtio-blk-pci,drive=drive0",
    "ahci,id=ahci1",
    "ide-hd,drive=drive1,bus=ahci1.0",
  ]);
});

test("doubles commas in paths, where QEMU would end the value", () => {
  const args = buildQemuArguments({ ...OPTIONS, diskPath: "/a,b.img", diskFormat: "qcow2" });
  expect(valuesOf(args, "-drive")).toEqual(["id=disk0,if=none,format=qcow2,file=/a,,b.img"]);
});

test("writes the boot network as a configuration of QEMU", () => {
  expect(buildBootNetwork("http://10.0.2.2:80/x/boot.ipxe").split("\n")).toEqual([
    '[netdev "n0"]',
    '  type = "user"',
    '  net = "10.0.2.0/24"',
    '  hostfwd = "tcp:127.0.0.1:0-:6379"',
    '  bootfile = "http://10.0.2.2:80/x/boot.ipxe"',
    "",
  ]);
});
