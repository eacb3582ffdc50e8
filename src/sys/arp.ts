/** What a link can do at this moment. `no-carrier`: it is up, but nothing is plugged in. */
export type LinkCondition = "ready" | "no-carrier" | "down" | "gone";

/**
 * An open socket on one Ethernet interface that hears what says something about the owner of one IPv4
 * address: packets sent from that address, and probes for it. Packets have the 28 bytes of RFC 826;
 * the Ethernet header around them is the kernel's business.
 */
export interface ArpSocket {
  /** Hardware address of the interface now; lower case with colons. @throws AgentError `E_ARP`. */
  mac(): string;
  condition(): LinkCondition;
  /** Sends to all hosts of the link. @throws AgentError `E_ARP`. */
  broadcast(packet: Uint8Array): void;
  /** The next packet that has come; undefined when none waits. Hostile: it has been filtered, not checked. */
  receive(): Uint8Array | undefined;
  /** May be called again. */
  close(): void;
}

/**
 * Opens a socket; packets count from then on.
 *
 * @param address The IPv4 address that is watched, dotted.
 * @throws AgentError `E_ARP` when there is no such interface or it is not Ethernet.
 */
export type OpenArpSocket = (interfaceName: string, address: string) => Promise<ArpSocket>;
