import { isIP } from "node:net";
import { readTextAsync } from "../sys/proc/read-text.ts";
import { formatKernelAddress } from "../sys/proc/sockets.ts";

/** A TCP connection of the agent's network namespace. */
export interface Connection {
  /** Of the packets: 4 also for a connection over an IPv6 socket to an IPv4 address. */
  readonly family: 4 | 6;
  readonly local: Side;
  readonly remote: Side;
}

interface Side {
  readonly address: string;
  readonly port: number;
}

/** More than a node has; a set of a hundred thousand would only delay the rules. */
const MAX_CONNECTIONS = 4096;

/** Data may still come in: established, closed by us alone (twice), closed by the peer alone. */
const OPEN_STATES = ["01", "04", "05", "08"];

/** Connections that carry data now, those over the loopback interface left out. */
export async function readConnections(): Promise<Connection[]> {
  const texts = await Promise.all(
    ["tcp", "tcp6"].map((table) => readTextAsync(`/proc/net/${table}`)),
  );
  return texts.flatMap((text) => parseConnections(text ?? "")).slice(0, MAX_CONNECTIONS);
}

/**
 * Parses `/proc/net/tcp` or `/proc/net/tcp6`.
 * Source: proc_pid_net(5); kernel, `include/net/tcp_states.h`.
 */
export function parseConnections(text: string): Connection[] {
  return text.split("\n").flatMap((line) => {
    const [, local, remote, state] = line.trim().split(/\s+/);
    if (!OPEN_STATES.includes(state ?? "")) return [];
    const [here, there] = [parseSide(local ?? ""), parseSide(remote ?? "")];
    if (here === undefined || there === undefined) return [];
    const isLoop = /^127\.|^::1$/.test(here.address);
    return isLoop ? [] : [{ family: isIP(here.address) === 6 ? 6 : 4, local: here, remote: there }];
  });
}

function parseSide(text: string): Side | undefined {
  const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(text);
  if (match === null) return undefined;
  return {
    address: formatKernelAddress(match[1] ?? ""),
    port: Number.parseInt(match[2] ?? "", 16),
  };
}
