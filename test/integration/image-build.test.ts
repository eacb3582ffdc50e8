import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildImage } from "../../src/image/build.ts";
import { readElfNeeds } from "../../src/image/elf.ts";
import { type Manifest, verifyImage } from "../../src/image/manifest.ts";
import { parseImageOptions } from "../../src/image/options.ts";

const ROOT = join(import.meta.dirname, "../..");
const BUILD_MS = 300_000;
const BOOT_FILES = ["vmlinuz", "initrd.img", "manifest.json"];

let dir = "";
let first: Manifest;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "node0-image-"));
  await mkdir(join(dir, "overlay/etc"), { recursive: true });
  await writeFile(join(dir, "overlay/etc/motd"), "laid over\n", { mode: 0o640 });
  await writeFile(join(dir, "zerotier-one"), "#!/bin/sh\nexit 0\n", { mode: 0o700 });
  first = await build("one");
}, BUILD_MS);

afterAll(() => rm(dir, { recursive: true, force: true }));

/** Builds with a cache of its own: only what was downloaded and unpacked is shared. */
async function build(
  name: string,
  more = ["--zerotier-bin", join(dir, "zerotier-one")],
): Promise<Manifest> {
  const cacheDir = join(dir, `cache-${name}`);
  await mkdir(cacheDir, { recursive: true });
  const shared = join(ROOT, ".node0/cache");
  for (const part of ["packages", "unpacked", "tools"]) {
    await mkdir(join(shared, part), { recursive: true });
    await symlink(join(shared, part), join(cacheDir, part)).catch(() => undefined);
  }
  const words = ["--out", join(dir, name), "--files", join(dir, "overlay"), ...more];
  return buildImage(parseImageOptions(words, ROOT), { root: ROOT, cacheDir, say: () => {} });
}

test(
  "two builds of one commit are byte for byte the same",
  async () => {
    await build("two");

    for (const name of BOOT_FILES) {
      const [one, two] = await Promise.all(
        ["one", "two"].map((build) => readFile(join(dir, build, name))),
      );
      expect(two?.equals(one ?? Buffer.alloc(0)), name).toBe(true);
    }
  },
  BUILD_MS,
);

test("the initial file system takes no more than 80 MB", () => {
  expect(first.initrdBytes).toBeLessThanOrEqual(80_000_000);
});

test("the manifest lists the agent, Node.js, a kernel module and the caller's own files", () => {
  const paths = new Set(first.files.map(({ path }) => path));

  for (const path of ["agent.cjs", "node", "version.json"]) {
    expect(paths).toContain(`usr/lib/node0/${path}`);
  }
  expect(paths).toContain("etc/motd");
  expect(paths).toContain("usr/sbin/zerotier-one");
  expect(paths).toContain("usr/sbin/nft");
  expect([...paths].some((path) => path.endsWith("/virtio_net.ko"))).toBe(true);
});

test("compiled code of the agent is in the image", () => {
  const cache = first.files.filter(({ path }) => path.startsWith("usr/lib/node0/cache/"));

  expect(cache.length).toBeGreaterThanOrEqual(2);
  expect(cache.every(({ path }) => /\/cache\/v26\./.test(path))).toBe(true);
});

test("nothing is done when the inputs are the same", async () => {
  const file = join(dir, "one/initrd.img");
  const before = await stat(file);

  await build("one");

  expect((await stat(file)).mtimeMs).toBe(before.mtimeMs);
});

test(
  "a program the image cannot start is refused, and what it lacks is named",
  async () => {
    await writeFile(join(dir, "python"), "#!/usr/bin/python3\n", { mode: 0o755 });

    await expect(build("python", ["--zerotier-bin", join(dir, "python")])).rejects.toThrow(
      `Cannot start ${join(dir, "python")} in the image: /usr/bin/python3 missing`,
    );
    await expect(build("none", ["--zerotier-bin", join(dir, "absent")])).rejects.toMatchObject({
      code: "E_IMAGE_FILE",
    });
  },
  BUILD_MS,
);

test("what a real program needs is read as its dynamic loader lists it", async () => {
  const listed = execFileSync("ldd", [process.execPath], { encoding: "utf8" });
  const { interpreter, libraries } = readElfNeeds(await readFile(process.execPath), "node");

  expect(listed).toContain(interpreter);
  expect(libraries).toContain("libc.so.6");
  for (const name of libraries.filter((entry) => !entry.startsWith("ld-linux"))) {
    expect(listed).toMatch(new RegExp(`^\\s+${name.replaceAll(/[.+]/g, "\\$&")} => `, "m"));
  }
});

test.each([
  ["a pipe", async (path: string) => void execFileSync("mkfifo", [path])],
  ["a device", async (path: string) => void execFileSync("mknod", [path, "c", "1", "3"])],
  ["a link above the root", (path: string) => symlink("../../../etc/shadow", path)],
])("files to be laid over the image are refused with %s among them", async (_what, make) => {
  const files = join(dir, "files");
  await mkdir(join(files, "etc"), { recursive: true });
  await make(join(files, "etc/odd"));
  const refusal = build("refused", ["--files", files]);

  await expect(refusal).rejects.toMatchObject({ code: "E_IMAGE_FILES" });
  await rm(files, { recursive: true, force: true });
});

test("verify names the boot file that was changed", async () => {
  const copy = join(dir, "changed");
  await mkdir(copy);
  for (const name of BOOT_FILES) await symlink(join(dir, "one", name), join(copy, name));
  expect(await verifyImage(copy)).toEqual([]);
  await rm(join(copy, "vmlinuz"));
  await writeFile(join(copy, "vmlinuz"), "something else");

  expect(await verifyImage(copy)).toEqual(["vmlinuz"]);
});
