import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DIRECTORY, missingForLab, NetworkLab } from "./support/network-lab.ts";

const missing = missingForLab();
if (missing !== undefined) console.log(`network-hook is skipped: ${missing}`);

describe.skipIf(missing !== undefined)("the hook of the DHCP client", () => {
  let lab: NetworkLab;
  beforeEach(async () => {
    lab = await NetworkLab.open();
    lab.plug();
    lab.node("ip", "link", "set", "v0", "up");
    lab.node("mkdir", "-p", DIRECTORY);
  });
  afterEach(() => lab.close());

  const bound = { interface: "v0", ip: "10.9.0.77", mask: "24", router: "10.9.0.1", lease: "600" };

  test("a router outside the own network is reached over the interface", () => {
    lab.runHook("bound", { ...bound, mask: "32", router: "10.1.1.1" });
    expect(lab.node("ip", "route")).toMatch(/^default via 10\.1\.1\.1 dev v0/m);
  });

  test("another address replaces the first one", () => {
    lab.runHook("bound", bound);
    lab.runHook("renew", { ...bound, ip: "10.9.0.78" });
    expect(lab.addresses("v0")).toEqual(["10.9.0.78/24"]);
  });

  test("the same address again changes nothing but its lifetime", () => {
    lab.runHook("bound", bound);
    lab.runHook("renew", bound);
    expect(lab.addresses("v0")).toEqual(["10.9.0.77/24"]);
  });

  test("an infinite lease gives an address without end", () => {
    lab.runHook("bound", { ...bound, lease: "4294967295" });
    expect(lab.node("ip", "-4", "address", "show", "v0")).toContain("valid_lft forever");
  });

  test("a network without router gets an address and no default route", () => {
    lab.runHook("bound", { ...bound, router: "" });
    expect(lab.addresses("v0")).toEqual(["10.9.0.77/24"]);
    expect(lab.node("ip", "route")).not.toContain("default");
  });

  test("a refused lease takes the address away", () => {
    lab.runHook("bound", bound);
    lab.runHook("nak", { interface: "v0" });
    expect(lab.addresses("v0")).toEqual([]);
    expect(lab.read(`${DIRECTORY}/v0.lease`)).toBe("");
  });
});
