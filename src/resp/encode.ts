import type { Bytes } from "./bytes.ts";

/** The protocol version a connection speaks; 2 until it says `HELLO 3`. */
export type Protocol = 2 | 3;

/** Encoded replies are byte strings: they are joined and written in one piece. */
export type Reply = Bytes;

export const OK: Reply = "+OK\r\n";

/** @param text Without line ends. */
export const simple = (text: Bytes): Reply => `+${text}\r\n`;

/** An error; its first word is the code clients look at. Line ends become blanks. */
export const failure = (text: Bytes): Reply => `-${text.replaceAll(/[\r\n]+/g, " ")}\r\n`;

export const integer = (value: number): Reply => `:${value}\r\n`;

export const bulk = (bytes: Bytes): Reply => `$${bytes.length}\r\n${bytes}\r\n`;

export const nil = (protocol: Protocol): Reply => (protocol === 3 ? "_\r\n" : "$-1\r\n");

/** What stands for an absent array; RESP3 has one nil for everything. */
export const nilArray = (protocol: Protocol): Reply => (protocol === 3 ? "_\r\n" : "*-1\r\n");

export const array = (items: readonly Reply[]): Reply => `*${items.length}\r\n${items.join("")}`;

export const bulks = (items: readonly Bytes[]): Reply => {
  let reply = `*${items.length}\r\n`;
  for (const item of items) reply += `$${item.length}\r\n${item}\r\n`;
  return reply;
};

/** A map; a flat array of keys and values in RESP2. */
export const map = (pairs: readonly (readonly [Reply, Reply])[], protocol: Protocol): Reply =>
  `${protocol === 3 ? `%${pairs.length}` : `*${pairs.length * 2}`}\r\n${pairs.flat().join("")}`;

/** A set; an array in RESP2. */
export const set = (items: readonly Reply[], protocol: Protocol): Reply =>
  `${protocol === 3 ? "~" : "*"}${items.length}\r\n${items.join("")}`;

/** An out-of-band message; RESP2 has none, there it is an array. */
export const push = (items: readonly Reply[], protocol: Protocol): Reply =>
  `${protocol === 3 ? ">" : "*"}${items.length}\r\n${items.join("")}`;

export const boolean = (value: boolean, protocol: Protocol): Reply =>
  protocol === 3 ? `#${value ? "t" : "f"}\r\n` : `:${value ? 1 : 0}\r\n`;

export const double = (value: number, protocol: Protocol): Reply => {
  const text = doubleText(value);
  return protocol === 3 ? `,${text}\r\n` : bulk(text);
};

function doubleText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "inf" : "-inf";
}

/** An integer beyond 64 bits. */
export const bigNumber = (value: bigint, protocol: Protocol): Reply =>
  protocol === 3 ? `(${value}\r\n` : bulk(String(value));

/** Text with a three-letter format, `txt` or `mkd`; a plain bulk in RESP2. */
export const verbatim = (bytes: Bytes, protocol: Protocol, format: "txt" | "mkd" = "txt"): Reply =>
  protocol === 3 ? `=${bytes.length + 4}\r\n${format}:${bytes}\r\n` : bulk(bytes);
