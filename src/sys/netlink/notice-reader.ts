import type { NetworkEvent } from "../network-state.ts";
import { type NetlinkMessage, parseMessages } from "./message.ts";
import { parseAddressIndex } from "./parse-addresses.ts";
import { parseLinkName } from "./parse-links.ts";
import { isMainUnicast, parseRouteIndex } from "./parse-routes.ts";
import {
  RTM_DELADDR,
  RTM_DELLINK,
  RTM_DELROUTE,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWROUTE,
} from "./rtnetlink.ts";

/** Turns notices of the kernel into events. Only links carry their name, so it remembers those. */
export class NoticeReader {
  readonly #names: Map<number, string>;

  /** @param names Link names by index, of now. */
  constructor(names: ReadonlyMap<number, string>) {
    this.#names = new Map(names);
  }

  /**
   * The events of one datagram.
   *
   * @throws AgentError `E_NETLINK` for a malformed one.
   */
  read(datagram: Buffer): NetworkEvent[] {
    return parseMessages(datagram).flatMap((message) => this.#event(message));
  }

  #event(message: NetlinkMessage): NetworkEvent[] {
    switch (message.type) {
      case RTM_NEWLINK:
      case RTM_DELLINK:
        return [{ kind: "link", interface: this.#linkName(message) }];
      case RTM_NEWADDR:
      case RTM_DELADDR:
        return [{ kind: "address", interface: this.#nameOf(parseAddressIndex(message)) }];
      case RTM_NEWROUTE:
      case RTM_DELROUTE:
        if (!isMainUnicast(message)) return [];
        return [{ kind: "route", interface: this.#nameOf(parseRouteIndex(message)) }];
      default:
        return [];
    }
  }

  #linkName(message: NetlinkMessage): string {
    const { index, name } = parseLinkName(message);
    const known = name === "" ? this.#nameOf(index) : name;
    // Leaving a bridge is told as a deletion of the port, in the family of bridges: the link stays.
    const isGone = message.type === RTM_DELLINK && message.body.readUInt8(0) === 0;
    if (isGone) this.#names.delete(index);
    else if (name !== "") this.#names.set(index, name);
    return known;
  }

  #nameOf(index: number | undefined): string {
    return index === undefined ? "" : (this.#names.get(index) ?? "");
  }
}
