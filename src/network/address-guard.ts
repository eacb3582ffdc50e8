/** How the check of an address before its use ended. */
export type ProbeOutcome =
  | { readonly isFree: true }
  /** Somebody has it or wants it too. `mac` is empty when it could not be told. */
  | { readonly isFree: false; readonly mac: string };

/** IPv4 address conflict detection. Source: RFC 5227. */
export interface AddressGuard {
  /**
   * Asks on a link that is up whether anybody has an address, or is about to take it (section 2.1.1).
   *
   * @throws AgentError `E_ARP` when the link cannot be used; the reason of the signal when aborted.
   */
  probe(interfaceName: string, address: string, signal: AbortSignal): Promise<ProbeOutcome>;
  /**
   * Announces an address that has been set (section 2.3) and watches it. A first conflict is defended
   * with one announcement; a second within 10 s means the address is lost (section 2.4 b).
   *
   * @param onLost Called once, with the hardware address of the other owner; the watch has ended then.
   * @returns Ends the watch.
   */
  defend(interfaceName: string, address: string, onLost: (mac: string) => void): () => void;
}
