import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runImageCommand } from "../../../src/image/command.ts";
import { type IssuedCertificate, makeCa } from "../../integration/support/throwaway-ca.ts";
import type { BootFiles } from "../console-image.ts";
import { ROOT } from "../support.ts";

/** Where the machine looks for its controller when nobody tells it. */
export const CONTROLLER = "10.254.254.254";

/** The limit is short because these machines wait for servers that are not there on purpose. */
const NET_TOML = `[network]
dhcp_limit = 4

[[controller]]
url = "https://${CONTROLLER}"
ca = "/etc/g8os/controller-ca.crt"
`;

export interface NetworkImage extends BootFiles {
  /** What a controller needs that the image trusts. */
  readonly controller: IssuedCertificate;
}

/**
 * Builds an image for machines that know a controller and nothing else of their network, with a shell
 * on the serial line. The authority is kept, so that an unchanged checkout builds nothing again.
 */
export async function ensureNetworkImage(): Promise<NetworkImage> {
  const cache = join(ROOT, ".node0/cache/network-test");
  const files = join(cache, "files");
  const out = join(ROOT, "dist/image-network");
  const controller = ensureController(join(cache, "ca"));
  mkdirSync(join(files, "etc/g8os"), { recursive: true });
  const inittab = readFileSync(join(ROOT, "initramfs/root/etc/inittab"), "utf8");
  writeFileSync(join(files, "etc/inittab"), `${inittab}ttyS0::respawn:-/bin/sh\n`);
  writeFileSync(join(files, "etc/g8os/net.toml"), NET_TOML);
  copyFileSync(join(cache, "ca/ca.crt"), join(files, "etc/g8os/controller-ca.crt"));
  const status = await runImageCommand(["build", "--overlay", files, "--out", out]);
  if (status !== 0) throw new Error("the image of the network tests cannot be built");
  return { kernel: join(out, "vmlinuz"), initrd: join(out, "initrd.img"), controller };
}

function ensureController(directory: string): IssuedCertificate {
  const controller = {
    certificate: join(directory, `${CONTROLLER}.crt`),
    key: join(directory, `${CONTROLLER}.key`),
  };
  if (existsSync(controller.certificate)) return controller;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return makeCa(directory).issue([CONTROLLER]);
}
