import type { Files } from "../sys/files.ts";
import type { Links } from "../sys/links.ts";
import type { UnlockRequest } from "./controller-api.ts";

export interface MachineFactsOptions {
  readonly files: Pick<Files, "readText">;
  readonly links: Pick<Links, "list">;
  readonly version: string;
  /** Node id of the overlay; empty without. */
  readonly overlayId: () => string;
  /** Default `/sys/class`. */
  readonly sysClass?: string;
}

const MOST_MACS = 64;
const LONGEST = 256;

/** What the machine says about itself when it asks for its key. */
export function machineFacts(options: MachineFactsOptions): UnlockRequest {
  const { files, links, version, overlayId, sysClass = "/sys/class" } = options;
  const macs = links
    .list()
    .filter(({ isPhysical }) => isPhysical)
    // A member of a bond shows the address of the bond; this is its own.
    .map(({ name, mac }) => {
      const own = files.readText(`${sysClass}/net/${name}/bonding_slave/perm_hwaddr`);
      return (own ?? mac).trim().toLowerCase();
    })
    .filter((mac) => /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) && mac !== NO_MAC);
  const dmi = (name: string): string => plain(files.readText(`${sysClass}/dmi/id/${name}`) ?? "");
  return {
    macs: [...new Set(macs)].slice(0, MOST_MACS),
    serial: dmi("product_serial"),
    vendor: dmi("sys_vendor"),
    product: dmi("product_name"),
    overlayId: overlayId(),
    version,
  };
}

const NO_MAC = "00:00:00:00:00:00";

/** Firmware writes what it likes. */
const plain = (text: string): string =>
  text
    .replaceAll(/\p{Cc}+/gu, " ")
    .trim()
    .slice(0, LONGEST);
