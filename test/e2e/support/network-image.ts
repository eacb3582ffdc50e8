import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runImageCommand } from "../../../src/image/command.ts";
import { writeStandIn } from "../../fixtures/zerotier-one-file.ts";
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

/** On the kernel command line: the machine starts as one whose image has no zerotier-one. */
export const HIDE_ZEROTIER = "test.hide-zerotier";
/** Where it is then. */
export const HIDDEN_ZEROTIER = "/usr/lib/test/zerotier-one";

const HIDE_SCRIPT = `#!/bin/sh
read -r words </proc/cmdline
case " $words " in *' ${HIDE_ZEROTIER} '*) mv /usr/sbin/zerotier-one ${HIDDEN_ZEROTIER} ;; esac
`;

/** What a controller needs that the image trusts: paths of PEM files. */
export interface ServerFiles extends IssuedCertificate {
  readonly ca: string;
}

export interface NetworkImage extends BootFiles {
  readonly controller: ServerFiles;
}

/**
 * Builds an image for machines that know a controller and nothing else of their network, with a shell
 * on the serial line and the stand-in for zerotier-one. The authority is kept, so that an unchanged
 * checkout builds nothing again.
 */
export async function ensureNetworkImage(): Promise<NetworkImage> {
  const cache = join(ROOT, ".node0/cache/network-test");
  const files = join(cache, "files");
  const zerotier = join(cache, "zerotier-one");
  const out = join(ROOT, "dist/image-network");
  const controller = ensureController(join(cache, "ca"));
  writeFiles(files, {
    "etc/inittab":
      `${readFileSync(join(ROOT, "initramfs/root/etc/inittab"), "utf8")}` +
      "::sysinit:/usr/lib/test/hide-zerotier\nttyS0::respawn:-/bin/sh\n",
    "etc/g8os/net.toml": NET_TOML,
    "etc/g8os/controller-ca.crt": readFileSync(controller.ca, "utf8"),
    "usr/lib/test/hide-zerotier": HIDE_SCRIPT,
  });
  chmodSync(join(files, "usr/lib/test/hide-zerotier"), 0o755);
  writeStandIn(zerotier, "/usr/bin/node");
  const words = ["--files", files, "--zerotier-bin", zerotier, "--out", out];
  const status = await runImageCommand(["build", ...words]);
  if (status !== 0) throw new Error("the image of the network tests cannot be built");
  return { kernel: join(out, "vmlinuz"), initrd: join(out, "initrd.img"), controller };
}

function writeFiles(directory: string, texts: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

function ensureController(directory: string): ServerFiles {
  const ca = join(directory, "ca.crt");
  const controller = {
    certificate: join(directory, `${CONTROLLER}.crt`),
    key: join(directory, `${CONTROLLER}.key`),
  };
  if (existsSync(controller.certificate)) return { ...controller, ca };
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return { ...makeCa(directory).issue([CONTROLLER]), ca };
}
