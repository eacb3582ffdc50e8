import { expect, test } from "vitest";
import { buildCommandLine } from "../../../scripts/machine/boot.ts";
import { buildBootScript } from "../../../scripts/machine/boot-server.ts";
import { buildFilesInitrd, passwordFile } from "../../../scripts/machine/guest-files.ts";

test("names the password file only when there is a password", () => {
  expect(buildCommandLine({})).not.toContain("password");
  expect(buildCommandLine({ password: "p" })).toContain("node0.password-file=/etc/node0/password");
});

test("keeps the password itself off the kernel command line", () => {
  expect(buildCommandLine({ password: "hunter2" })).not.toContain("hunter2");
});

test("puts added words last, where they win", () => {
  expect(buildCommandLine({ password: "p", append: "a=1 b" })).toMatch(/ a=1 b$/);
});

test("the boot script loads every initial RAM file system in order", () => {
  expect(buildBootScript(2, "console=ttyS0 x").split("\n")).toEqual([
    "#!ipxe",
    "kernel vmlinuz console=ttyS0 x",
    "initrd initrd-0",
    "initrd initrd-1",
    "boot",
    "",
  ]);
});

test("the password travels in a file only root may read", () => {
  const archive = buildFilesInitrd([passwordFile("hunter2")]).toString("latin1");
  expect(modeIn(archive, "etc/node0/password")).toBe("600");
  expect(archive).toContain("hunter2\n");
});

test("several files travel in one archive, each with its mode", () => {
  const files = [
    { path: "/etc/node0/a", text: "first", mode: 0o644 },
    { path: "/etc/node0/b", text: "second" },
  ];
  const archive = buildFilesInitrd(files).toString("latin1");
  expect(modeIn(archive, "etc/node0/a")).toBe("644");
  expect(modeIn(archive, "etc/node0/b")).toBe("600");
  expect(archive).toMatch(/first.*second/s);
});

/** The mode is the second field of eight digits; the header of 110 bytes ends where the name begins. */
function modeIn(archive: string, name: string): string {
  const at = archive.indexOf(`${name}\0`);
  const mode = Number.parseInt(archive.slice(at - 110 + 14, at - 110 + 22), 16);
  return (mode & 0o7777).toString(8);
}
