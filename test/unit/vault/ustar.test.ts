import { expect, test } from "vitest";
import { AgentError } from "../../../src/base/errors.ts";
import {
  formatUstar,
  parseUstar,
  USTAR_LIMITS,
  type UstarEntry,
} from "../../../src/vault/ustar.ts";

const BLOCK = 512;

const file = (path: string, text = "", isExecutable = false): UstarEntry => ({
  kind: "file",
  path,
  isExecutable,
  content: Buffer.from(text),
});
const directory = (path: string): UstarEntry => ({ kind: "directory", path });

const SAMPLE: readonly UstarEntry[] = [
  file("gocryptfs.conf", "{}\n"),
  directory("ssh"),
  file("ssh/key", "x".repeat(600)),
  file("ssh/run", "#!/bin/sh\n", true),
];

/** Changes one header and mends its checksum, as somebody with bad intent would. */
function forged(archive: Buffer, change: (header: Buffer) => void, at = 0): Buffer {
  const copy = Buffer.from(archive);
  const header = copy.subarray(at, at + BLOCK);
  change(header);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return copy;
}

/** An archive with one file of that name, whatever the name. */
const named = (name: string): Buffer =>
  forged(formatUstar([file("a", "text")]), (header) => {
    header.fill(0, 0, 100);
    header.write(name, 0);
  });

/** Small numbers that are the same in every run (xorshift). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

test("what was packed is read back", () => {
  expect(parseUstar(formatUstar(SAMPLE))).toEqual(SAMPLE);
});

test("the same entries give the same bytes in any order", () => {
  expect(formatUstar(SAMPLE.toReversed())).toEqual(formatUstar(SAMPLE));
});

test("owner and time are zero, modes 0600 and 0700", () => {
  const archive = formatUstar([directory("d"), file("f"), file("x", "", true)]);
  const fields = [0, 1, 2].map((index) =>
    archive.toString("latin1", index * BLOCK + 100, index * BLOCK + 148).replaceAll("\0", " "),
  );
  const rest = "0000000 0000000 00000000000 00000000000 ";
  expect(fields).toEqual([`0000700 ${rest}`, `0000600 ${rest}`, `0000700 ${rest}`]);
});

test("an empty archive is two empty blocks", () => {
  expect(formatUstar([])).toEqual(Buffer.alloc(2 * BLOCK));
  expect(parseUstar(Buffer.alloc(2 * BLOCK))).toEqual([]);
});

test("padding by whole blocks behind the end is fine", () => {
  const archive = Buffer.concat([formatUstar(SAMPLE), Buffer.alloc(16 * BLOCK)]);
  expect(parseUstar(archive)).toEqual(SAMPLE);
});

test("a name of 255 bytes goes through the prefix", () => {
  const prefix = "p".repeat(154);
  const entries = [directory("p".repeat(99)), file(`${"p".repeat(99)}/${"n".repeat(100)}`)];
  expect(parseUstar(formatUstar(entries))).toEqual(entries);
  expect(() => formatUstar([directory(prefix)])).toThrow("at most 100 bytes");
});

test.each([101, 120, 155, 200, 254, 255])("a path of %i bytes is kept", (length) => {
  const [first, second] = ["d".repeat(77), "e".repeat(76)];
  const parents = [directory(first), directory(`${first}/${second}`)];
  const below = length > 155 ? `${first}/${second}/` : `${first}/`;
  const entries = [...parents, file(below + "n".repeat(length - below.length))];
  expect(parseUstar(formatUstar(entries))).toEqual(entries);
});

test.each([
  ["an empty name", ""],
  ["an absolute name", "/etc/passwd"],
  ["a part ..", "../x"],
  ["a part .. inside", "a/../../x"],
  ["a part .", "./x"],
  ["an empty part", "a//x"],
  ["a slash at the end of a file", "x/"],
  ["a line break", "a\nb"],
  ["an escape sequence", "\u001b[2J"],
])("%s is refused both ways", (_what, name) => {
  expect(() => formatUstar([file(name)])).toThrow("Cannot write archive");
  expect(() => parseUstar(named(name))).toThrow("Cannot read archive");
});

test("a name of more than 255 bytes is refused", () => {
  const path = `${"a/".repeat(127)}aa`;
  expect(path).toHaveLength(256);
  expect(() => formatUstar([file(path)])).toThrow("more than 255 bytes");
});

test.each(["1", "2", "3", "4", "6", "7", "x", "g", "L", "K", "S"])(
  "an entry of type %s is refused",
  (type) => {
    const archive = forged(formatUstar([file("a")]), (header) => header.write(type, 156));
    expect(() => parseUstar(archive)).toThrow(`type "${type}" seen`);
  },
);

test("a file with the target of a link is refused", () => {
  const archive = forged(formatUstar([file("a")]), (header) => header.write("/etc", 157));
  expect(() => parseUstar(archive)).toThrow("a link seen");
});

test("a name that comes twice is refused", () => {
  const one = formatUstar([file("a")]).subarray(0, BLOCK);
  const archive = Buffer.concat([one, one, Buffer.alloc(2 * BLOCK)]);
  expect(() => parseUstar(archive)).toThrow('"a" a second time seen, expected each name once');
  expect(() => formatUstar([file("a"), directory("a")])).toThrow("a second time");
});

test("a child without its directory, or below a file, is refused", () => {
  expect(() => formatUstar([file("a/b")])).toThrow("without its directory");
  expect(() => formatUstar([file("a"), file("a/b")])).toThrow("without its directory");
});

test("a directory with content is refused", () => {
  const archive = forged(formatUstar([directory("a")]), (header) =>
    header.write("00000000001", 124),
  );
  expect(() => parseUstar(archive)).toThrow("a directory of 1 bytes");
});

test("a wrong checksum is refused", () => {
  const archive = formatUstar(SAMPLE);
  archive[0] = (archive[0] ?? 0) ^ 1;
  expect(() => parseUstar(archive)).toThrow("a wrong checksum seen at byte 0");
});

test.each([
  ["negative", "-0000000001"],
  ["not octal", "00000000009"],
  ["in base 256", "\x80\0\0\0\0\0\0\0\0\0\x01"],
  ["absent", "\0\0\0\0\0\0\0\0\0\0\0"],
])("a size that is %s is refused", (_what, text) => {
  const archive = forged(formatUstar([file("a", "b")]), (header) =>
    header.write(text, 124, "latin1"),
  );
  expect(() => parseUstar(archive)).toThrow("no number as size");
});

test("a size beyond the archive is refused without taking memory for it", () => {
  const archive = forged(formatUstar([file("a", "b")]), (header) =>
    header.write("77777777777", 124),
  );
  expect(() => parseUstar(archive)).toThrow("8589934591 bytes of content");
});

test("every cut and every missing end is refused", () => {
  const archive = formatUstar(SAMPLE);
  for (let length = 0; length < archive.length; length++) {
    expect(() => parseUstar(archive.subarray(0, length)), `${length} bytes`).toThrow(AgentError);
  }
});

test("anything behind the end is refused", () => {
  const archive = Buffer.concat([formatUstar(SAMPLE), formatUstar(SAMPLE)]);
  expect(() => parseUstar(archive)).toThrow("no proper end");
});

test("bytes in the padding of a file are refused", () => {
  const archive = formatUstar([file("a", "b")]);
  archive[BLOCK + 1] = 1;
  expect(() => parseUstar(archive)).toThrow("bytes in the padding seen at byte 513");
});

test("names and texts that are not UTF-8 are refused", () => {
  const archive = forged(formatUstar([file("abc")]), (header) => header.fill(0xff, 0, 3));
  expect(() => parseUstar(archive)).toThrow("not UTF-8");
});

test("more than 10 000 entries are refused", () => {
  const many = Array.from({ length: USTAR_LIMITS.entries + 1 }, (_, index) => file(`f${index}`));
  expect(() => formatUstar(many)).toThrow("expected at most 10000");
  expect(parseUstar(formatUstar(many.slice(1)))).toHaveLength(USTAR_LIMITS.entries);
});

test("more than 64 MiB are refused", () => {
  const content = Buffer.alloc(USTAR_LIMITS.sizeBytes);
  expect(() => formatUstar([{ kind: "file", path: "a", isExecutable: false, content }])).toThrow(
    "expected at most 67108864",
  );
  expect(() => parseUstar(Buffer.alloc(USTAR_LIMITS.sizeBytes + BLOCK))).toThrow("67109376 bytes");
});

test("a damaged archive is read as safe entries or refused, and nothing else happens", () => {
  const archive = formatUstar(SAMPLE);
  const next = numbers(20_260_101);
  let refused = 0;
  for (let round = 0; round < 4000; round++) {
    const at = next(archive.length / BLOCK) * BLOCK;
    const change = (bytes: Buffer): void => {
      for (let times = next(3); times >= 0; times--) bytes[next(bytes.length)] = next(256);
    };
    const copy = next(2) === 0 ? forged(archive, change, at) : Buffer.from(archive);
    if (next(4) === 0) change(copy);
    const cut = next(4) === 0 ? copy.subarray(0, next(copy.length)) : copy;
    try {
      for (const { path } of parseUstar(cut)) {
        expect(`/${path}/`).not.toMatch(/\/\.{0,2}\/|\p{Cc}/u);
      }
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      expect(error.code).toBe("E_ARCHIVE");
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(1000);
});
