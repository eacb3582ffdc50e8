import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runImageCommand } from "../../src/image/command.ts";
import { ROOT } from "./support.ts";

export interface BootFiles {
  readonly kernel: string;
  readonly initrd: string;
}

/**
 * Builds the image with a shell on the serial line, by the means an operator has: a directory laid
 * over the file tree. A machine without network can then still be asked.
 */
export async function ensureConsoleImage(): Promise<BootFiles> {
  const overlay = join(ROOT, ".node0/cache/console-overlay");
  const out = join(ROOT, "dist/image-console");
  const inittab = readFileSync(join(ROOT, "initramfs/root/etc/inittab"), "utf8");
  mkdirSync(join(overlay, "etc"), { recursive: true });
  writeFileSync(join(overlay, "etc/inittab"), `${inittab}ttyS0::respawn:-/bin/sh\n`);
  const status = await runImageCommand(["build", "--overlay", overlay, "--out", out]);
  if (status !== 0) throw new Error("the image with a shell on its serial line cannot be built");
  return { kernel: join(out, "vmlinuz"), initrd: join(out, "initrd.img") };
}
