/** The DHCP clients of the node, one process per interface. */
export interface DhcpClients {
  /** True while the client of an interface runs, also one that an earlier agent started. */
  isRunning(interfaceName: string): boolean;
  /** Starts it; it asks for a lease at once and goes on for ever. @throws when it cannot be started. */
  start(interfaceName: string): Promise<void>;
  /** Asks again at once, for example because the cable came back. */
  renew(interfaceName: string): void;
  /** Text of the lease file; undefined where there is none. */
  leaseText(interfaceName: string): string | undefined;
  /** Calls back when any lease changed. */
  onChange(listener: () => void): () => void;
}
