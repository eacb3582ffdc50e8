import type { AddressState } from "../network-state.ts";
import { type Attributes, parseAttributes, readU8, readU32 } from "./attributes.ts";
import { familyOf, formatIp } from "./ip-text.ts";
import { fixedPart, malformed, type NetlinkMessage } from "./message.ts";
import {
  ADDRESS_BYTES,
  AF_INET,
  AF_INET6,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_UNIVERSE,
  RTM_NEWADDR,
} from "./rtnetlink.ts";

/**
 * The IPv4 and IPv6 addresses of a dump, in its order; those of links without a known name are left out.
 *
 * Body of RTM_NEWADDR: family u8, prefix length u8, flags u8, scope u8, index u32, attributes.
 *
 * @param names Link names by index.
 */
export function parseAddresses(
  messages: readonly NetlinkMessage[],
  names: ReadonlyMap<number, string>,
): AddressState[] {
  return messages.flatMap((message) => {
    if (message.type !== RTM_NEWADDR) return [];
    const name = names.get(parseAddressIndex(message));
    return name === undefined ? [] : parseAddress(message, name);
  });
}

/** Index of the link an address belongs to. */
export function parseAddressIndex({ body }: NetlinkMessage): number {
  return fixedPart(body, ADDRESS_BYTES).readUInt32LE(4);
}

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;
const IFA_PROTO = 11;
const IFA_F_DADFAILED = 0x08;
const IFA_F_TENTATIVE = 0x40;
const FOREVER = 0xffff_ffff;

function parseAddress({ body }: NetlinkMessage, name: string): AddressState[] {
  const head = fixedPart(body, ADDRESS_BYTES);
  const family = head.readUInt8(0);
  const attributes = parseAttributes(body, ADDRESS_BYTES);
  // On point-to-point links IFA_ADDRESS is the far end.
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  const length = family === AF_INET ? 4 : 16;
  if ((family !== AF_INET && family !== AF_INET6) || bytes === undefined) return [];
  if (bytes.length !== length) throw malformed("address", bytes.length, length);
  const flags = readU32(attributes, IFA_FLAGS) ?? head.readUInt8(2);
  return [
    {
      interface: name,
      family: familyOf(bytes),
      address: formatIp(bytes),
      prefix: head.readUInt8(1),
      scope: scopeName(head.readUInt8(3)),
      isTentative: (flags & IFA_F_TENTATIVE) !== 0,
      isDuplicate: (flags & IFA_F_DADFAILED) !== 0,
      validSeconds: validSeconds(attributes),
      protocol: readU8(attributes, IFA_PROTO) ?? 0,
    },
  ];
}

function scopeName(scope: number): AddressState["scope"] {
  if (scope === RT_SCOPE_UNIVERSE) return "global";
  if (scope === RT_SCOPE_LINK) return "link";
  return scope === RT_SCOPE_HOST ? "host" : "other";
}

/** struct ifa_cacheinfo: preferred, valid, created, updated, each u32. */
function validSeconds(attributes: Attributes): number | null {
  const info = attributes.get(IFA_CACHEINFO);
  if (info === undefined) return null;
  const valid = fixedPart(info, 8).readUInt32LE(4);
  return valid === FOREVER ? null : valid;
}
