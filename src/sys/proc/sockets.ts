import { readTextAsync } from "./read-text.ts";

export type SocketTable = "tcp" | "tcp6" | "udp" | "udp6" | "unix";

/** One socket others can reach. */
export interface ListeningSocket {
  readonly network: SocketTable;
  /** Absent for unix sockets. */
  readonly ip?: string;
  /** 0 for unix sockets. */
  readonly port: number;
  /** Absent for IP sockets; `@` stands for the zero byte of an abstract name, `""` is unnamed. */
  readonly path?: string;
  readonly inode: number;
}

/** In the order of `info.port`. */
const TABLES: readonly SocketTable[] = ["tcp", "tcp6", "udp", "udp6", "unix"];

/** Listening sockets of the agent's network namespace, table after table in the kernel's order. */
export async function readListeningSockets(): Promise<ListeningSocket[]> {
  const texts = await Promise.all(TABLES.map((table) => readTextAsync(`/proc/net/${table}`)));
  return TABLES.flatMap((table, index) => parseSocketTable(table, texts[index] ?? ""));
}

/**
 * Parses one file of `/proc/net` and keeps TCP sockets in state 0A (listen), UDP sockets in state 07
 * (not connected) and unix sockets in state 01. Source: `proc_pid_net(5)`; kernel,
 * `include/net/tcp_states.h`, `net/unix/af_unix.c`.
 */
export function parseSocketTable(table: SocketTable, text: string): ListeningSocket[] {
  const lines = text.split("\n").slice(1);
  if (table === "unix") return lines.flatMap(parseUnixLine);
  const wanted = table.startsWith("tcp") ? "0A" : "07";
  return lines.flatMap((line) => parseIpLine(table, wanted, line));
}

function parseIpLine(network: SocketTable, wanted: string, line: string): ListeningSocket[] {
  const match = /^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /.exec(line);
  if (match === null) return [];
  const [, address = "", port = "", state] = match;
  if (state !== wanted) return [];
  const inode = Number(line.trim().split(/\s+/)[9] ?? 0);
  return [{ network, ip: formatKernelAddress(address), port: Number.parseInt(port, 16), inode }];
}

function parseUnixLine(line: string): ListeningSocket[] {
  const match = /^\S+: \S+ \S+ \S+ \S+ ([0-9A-F]{2}) +(\d+)(?: (.*))?$/.exec(line);
  if (match === null) return [];
  const [, state, inode = "0", path = ""] = match;
  return state === "01" ? [{ network: "unix", port: 0, path, inode: Number(inode) }] : [];
}

/**
 * Text of an address as the kernel prints it: each 32 bit word, held in network order in memory,
 * appears as a number of this machine, which is little-endian on everything the agent runs on.
 *
 * @param hex 8 or 32 hexadecimal digits.
 */
export function formatKernelAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).reverse(),
  );
  const isMapped = bytes.length === 16 && bytes.slice(0, 10).every((byte) => byte === 0);
  if (isMapped && bytes[10] === 0xff && bytes[11] === 0xff) return bytes.slice(12).join(".");
  return bytes.length === 4 ? bytes.join(".") : formatIpv6(bytes);
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as `::`. */
function formatIpv6(bytes: readonly number[]): string {
  const groups = Array.from(
    { length: 8 },
    (_none, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0),
  );
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    const end = groups.findIndex((group, index) => index >= start && group !== 0);
    const length = (end < 0 ? 8 : end) - start;
    if (length > best.length) best = { start, length };
  }
  const text = groups.map((group) => group.toString(16));
  if (best.length < 2) return text.join(":");
  const head = text.slice(0, best.start).join(":");
  return `${head}::${text.slice(best.start + best.length).join(":")}`;
}
