import { HOST_SEEN_BY_GUEST } from "./controller-process.ts";
import type { GuestFile } from "./guest-files.ts";

const NET_TOML = "/etc/node0/net.toml";
const CA = "/etc/node0/controller-ca.crt";
const PUBLIC = 0o644;

/**
 * Files by which a machine in QEMU's user network finds the controller on this host. The main
 * configuration names the one of the network: of the files beside the image, a machine takes over those
 * below `/etc/node0` alone.
 *
 * @param ca PEM.
 */
export function controllerFiles(port: number, ca: string): GuestFile[] {
  return [
    { path: "/etc/node0/node0.toml", text: `[main]\nnetwork = "${NET_TOML}"\n`, mode: PUBLIC },
    {
      path: NET_TOML,
      text: `[[controller]]\nurl = "https://${HOST_SEEN_BY_GUEST}:${port}"\nca = "${CA}"\n`,
      mode: PUBLIC,
    },
    { path: CA, text: ca, mode: PUBLIC },
  ];
}
