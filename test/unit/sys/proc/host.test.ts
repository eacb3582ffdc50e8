import { describe, expect, test } from "vitest";
import { chooseHostId, parseBootTime, parseUptime } from "../../../../src/sys/proc/host-info.ts";
import { parseOsRelease } from "../../../../src/sys/proc/os-release.ts";
import { guessVirtualization } from "../../../../src/sys/proc/virtualization.ts";

const BOOT_ID = "3EB58ECE-4e17-420e-9f2e-be99b740ab21\n";

describe("host id", () => {
  test("is the product UUID in lower case", () => {
    const uuid = "4C4C4544-0042-3510-8052-B7C04F4D4E32\n";
    expect(chooseHostId(uuid, BOOT_ID)).toBe("4c4c4544-0042-3510-8052-b7c04f4d4e32");
  });

  test.each([
    undefined,
    "",
    "Not Settable",
    "00000000-0000-0000-0000-000000000000",
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
  ])("is the boot id in lower case where the product UUID is %j", (uuid) => {
    expect(chooseHostId(uuid, BOOT_ID)).toBe("3eb58ece-4e17-420e-9f2e-be99b740ab21");
  });
});

test("uptime is whole seconds, boot time comes from the kernel statistics", () => {
  expect(parseUptime("1338.97 2600.11\n")).toBe(1338);
  expect(parseBootTime("cpu  1 2 3\nbtime 1795170847\nprocesses 9\n")).toBe(1795170847);
});

describe("os-release", () => {
  test("names platform, first related platform and version, quoted or not", () => {
    const text =
      '# comment\nID=derived\nID_LIKE="debian ubuntu"\nVERSION_ID=\'13\'\nNAME="A \\"B\\""\n';
    expect(parseOsRelease(text)).toStrictEqual({
      platform: "derived",
      platformFamily: "debian",
      platformVersion: "13",
    });
  });

  test("a platform without relatives is its own family", () => {
    expect(parseOsRelease("ID=debian\n")).toStrictEqual({
      platform: "debian",
      platformFamily: "debian",
      platformVersion: "",
    });
  });
});

describe("virtualization", () => {
  const plain = {
    hasHypervisorFlag: false,
    hypervisorType: "",
    firmware: "Dell Inc. PowerEdge R640",
    clockSources: "tsc hpet acpi_pm",
    container: "",
    hasKvmModule: false,
  };
  const inside = { ...plain, hasHypervisorFlag: true };

  test.each([
    ["plain hardware", plain, "", ""],
    ["hardware with KVM", { ...plain, hasKvmModule: true }, "kvm", "host"],
    ["KVM", { ...inside, firmware: "QEMU x", clockSources: "tsc kvm-clock" }, "kvm", "guest"],
    ["QEMU without KVM", { ...inside, firmware: "QEMU Standard PC" }, "qemu", "guest"],
    ["KVM on arm", { ...plain, firmware: "QEMU KVM Virtual Machine" }, "kvm", "guest"],
    ["QEMU on arm", { ...plain, firmware: "QEMU QEMU Virtual Machine" }, "qemu", "guest"],
    ["rented hardware", { ...plain, firmware: "Amazon EC2 c5.metal" }, "", ""],
    ["VMware", { ...inside, firmware: "VMware, Inc. VMware7,1" }, "vmware", "guest"],
    [
      "Hyper-V",
      { ...inside, firmware: "Microsoft Corporation Virtual Machine" },
      "hyperv",
      "guest",
    ],
    ["Xen", { ...plain, hypervisorType: "xen" }, "xen", "guest"],
    ["another hypervisor", inside, "unknown", "guest"],
    ["a container", { ...inside, container: "lxc" }, "lxc", "guest"],
    [
      "a guest that offers KVM",
      { ...inside, firmware: "QEMU", hasKvmModule: true },
      "qemu",
      "guest",
    ],
  ])("recognises %s", (_name, hints, virtualizationSystem, virtualizationRole) => {
    expect(guessVirtualization(hints)).toStrictEqual({ virtualizationSystem, virtualizationRole });
  });
});
