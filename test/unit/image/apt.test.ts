import { expect, test } from "vitest";
import { parsePackages, parseSimulation } from "../../../src/image/apt.ts";
import { markDrift } from "../../../src/image/package-cache.ts";

const entry = (name: string, sha256: string) => ({
  name,
  version: "1",
  sha256,
  path: "pool/x.deb",
});

test("a package list gives name, version, hash and place of each package", () => {
  const text = [
    "Package: busybox-static",
    "Version: 1:1.37.0-6",
    "Description: small programs",
    " Package: not a field",
    "Filename: pool/main/b/busybox/busybox-static_1.37.0-6_amd64.deb",
    "SHA256: abc",
    "",
    "Package: without-a-file",
    "Version: 1",
  ].join("\n");

  expect(parsePackages(text)).toEqual([
    {
      name: "busybox-static",
      version: "1:1.37.0-6",
      sha256: "abc",
      path: "pool/main/b/busybox/busybox-static_1.37.0-6_amd64.deb",
    },
  ]);
});

test("a simulated installation gives the version of each package that would come", () => {
  const text = [
    "Reading package lists...",
    "Inst libc6 (2.41-12 Debian:13/stable [amd64])",
    "Conf libc6 (2.41-12 Debian:13/stable [amd64])",
  ].join("\n");

  expect([...parseSimulation(text)]).toEqual([["libc6", "2.41-12"]]);
});

test("a package is drifted when its hash is not in the lock", () => {
  const locked = [entry("kept", "a"), entry("gone", "b")];
  const current = [entry("kept", "a"), entry("gone", "c"), entry("renamed", "d")];

  const drifted = markDrift(locked, current).filter(({ isDrifted }) => isDrifted);

  expect(drifted.map(({ name }) => name)).toEqual(["gone", "renamed"]);
});
