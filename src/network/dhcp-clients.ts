import type { Lease } from "./lease.ts";

/** The DHCP clients of the node, one process per interface. They outlive the agent. */
export interface DhcpClients {
  /** True while the client of an interface runs, also one that an earlier agent started. */
  isRunning(interfaceName: string): boolean;
  /**
   * Starts it where none runs; it asks for a lease at once and goes on for ever, unless it gets one that
   * is of no use. @throws when it cannot be started.
   */
  start(interfaceName: string): Promise<void>;
  /**
   * Ends it, releasing its lease, and forgets lease and mark. While there is a mark, address and routes
   * of the lease go too; else they are the caller's business. Takes up to four seconds.
   */
  stop(interfaceName: string): Promise<void>;
  /** Asks again at once, for example because the cable came back. */
  renew(interfaceName: string): void;
  /** The lease in force; undefined where there is none, or the time of one a client left is over. */
  lease(interfaceName: string): Lease | undefined;
  /** Text of the lease file; undefined where there is none. */
  leaseText(interfaceName: string): string | undefined;
  /**
   * Marks whether the lease of an interface is in use. With a mark the hook sets address and default
   * route (with that metric) of a new lease, prolongs those of a renewed one, and takes away its own
   * when the lease ends, whether or not an agent runs. Without a mark it only writes the lease down.
   *
   * @param metric Of the default route; null takes the mark away.
   */
  setInUse(interfaceName: string, metric: number | null): void;
  /** The mark; null without one. */
  inUseMetric(interfaceName: string): number | null;
  /** Calls back when any lease changed, or a client this agent started has ended. */
  onChange(listener: () => void): () => void;
}
