import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BootServer, openBootServer } from "../../../scripts/machine/boot-server.ts";

let directory: string;
let server: BootServer;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "node0-boot-"));
  for (const name of ["kernel", "first", "second"]) writeFileSync(join(directory, name), name);
  server = await openBootServer({
    kernel: join(directory, "kernel"),
    initrds: [join(directory, "first"), join(directory, "second")],
    commandLine: "a b",
  });
});

afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

/** Fetches a path beside the boot script from this side of the user network. */
async function get(path: string): Promise<Response> {
  return await fetch(new URL(path, server.bootUrl.replace("10.0.2.2", "127.0.0.1")));
}

test("serves the script and every file it names", async () => {
  expect(await (await get("boot.ipxe")).text()).toContain("kernel vmlinuz a b\n");
  expect(await (await get("vmlinuz")).text()).toBe("kernel");
  expect(await (await get("initrd-0")).text()).toBe("first");
  expect(await (await get("initrd-1")).text()).toBe("second");
});

test.each(["initrd-2", "initrd-x", "kernel", "/boot.ipxe", "/", "/wrong/vmlinuz"])(
  "does not know %s",
  async (path) => {
    expect((await get(path)).status).toBe(404);
  },
);
