import { describe, expect, test } from "vitest";
import { GUEST_LIMITS, MEMBER_LIMITS } from "../../../src/resp/request-limits.ts";
import { RequestParser } from "../../../src/resp/request-parser.ts";
import { readByteReplies } from "../../fakes/reply-reader.ts";

/** Everything the parser makes of some chunks: requests, then perhaps the error that ended it. */
function parse(chunks: readonly string[], limits = MEMBER_LIMITS): (string[] | string)[] {
  const parser = new RequestParser(limits);
  const seen: (string[] | string)[] = [];
  try {
    for (const chunk of chunks) {
      parser.feed(Buffer.from(chunk, "latin1"));
      for (let words = parser.next(); words !== undefined; words = parser.next()) seen.push(words);
    }
  } catch (error) {
    seen.push((error as Error).message);
  }
  return seen;
}

function splits(text: string): string[][] {
  return Array.from({ length: text.length - 1 }, (_, at) => [
    text.slice(0, at + 1),
    text.slice(at + 1),
  ]);
}

const bulks = (...words: string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;

interface Case {
  readonly rule: string;
  readonly bytes: string;
  readonly seen: (string[] | string)[];
}

const CASES: Case[] = [
  { rule: "one bulk", bytes: bulks("PING"), seen: [["PING"]] },
  { rule: "three bulks", bytes: bulks("SET", "k", "v"), seen: [["SET", "k", "v"]] },
  { rule: "an empty bulk", bytes: bulks("ECHO", ""), seen: [["ECHO", ""]] },
  {
    rule: "a bulk of every byte value",
    bytes: bulks("ECHO", String.fromCharCode(...Array(256).keys())),
    seen: [["ECHO", String.fromCharCode(...Array(256).keys())]],
  },
  {
    rule: "bulks that look like protocol",
    bytes: bulks("*1\r\n", "$4\r\nPING\r\n"),
    seen: [["*1\r\n", "$4\r\nPING\r\n"]],
  },
  {
    rule: "pipelined requests",
    bytes: bulks("PING") + bulks("LLEN", "k") + bulks("PING"),
    seen: [["PING"], ["LLEN", "k"], ["PING"]],
  },
  { rule: "lengths with leading zeros", bytes: "*01\r\n$04\r\nPING\r\n", seen: [["PING"]] },
  {
    rule: "nothing for empty and nil arrays",
    bytes: `*0\r\n*-1\r\n${bulks("PING")}`,
    seen: [["PING"]],
  },
  {
    rule: "an inline line, with and without carriage return",
    bytes: "PING\r\nLLEN key\n",
    seen: [["PING"], ["LLEN", "key"]],
  },
  {
    rule: "blank inline lines as nothing",
    bytes: "\r\n  \r\n\nPING\r\n",
    seen: [["PING"]],
  },
  {
    rule: "inline quotes",
    bytes: "echo \"a \\x41\\n\\\"\" 'b \\' c'  d\r\n",
    seen: [["echo", 'a A\n"', "b ' c", "d"]],
  },
  {
    rule: "inline and array requests mixed",
    bytes: `PING\r\n${bulks("PING", "x")}ECHO y\r\n`,
    seen: [["PING"], ["PING", "x"], ["ECHO", "y"]],
  },
  {
    rule: "a web request as words",
    bytes: "POST / HTTP/1.1\r\nHost: node\r\n",
    seen: [
      ["POST", "/", "HTTP/1.1"],
      ["Host:", "node"],
    ],
  },
  {
    rule: "an error for a bulk that is something else",
    bytes: "*1\r\n:",
    seen: ["Protocol error: expected '$', got ':'"],
  },
  {
    rule: "an error for a nested array",
    bytes: "*1\r\n*",
    seen: ["Protocol error: expected '$', got '*'"],
  },
  {
    rule: "an error for a nil bulk",
    bytes: "*1\r\n$-1\r\n",
    seen: ["Protocol error: invalid bulk length"],
  },
  {
    rule: "an error for a length with letters",
    bytes: "*1x",
    seen: ["Protocol error: invalid multibulk length"],
  },
  {
    rule: "an error for a missing length",
    bytes: "*1\r\n$\r",
    seen: ["Protocol error: invalid bulk length"],
  },
  {
    rule: "an error for a length without line feed",
    bytes: "*1\r$",
    seen: ["Protocol error: invalid multibulk length"],
  },
  {
    rule: "an error for a length of too many digits",
    bytes: "*1\r\n$00000000001",
    seen: ["Protocol error: invalid bulk length"],
  },
  {
    rule: "an error for a bulk that is longer than announced",
    bytes: "*1\r\n$2\r\nPING",
    seen: ["Protocol error: expected CRLF after a bulk"],
  },
  {
    rule: "an error for unbalanced quotes, after the requests before it",
    bytes: 'PING\r\nECHO "a\r\n',
    seen: [["PING"], "Protocol error: unbalanced quotes in request"],
  },
];

describe.each(CASES)("reads $rule", ({ bytes, seen }) => {
  test("whole", () => {
    expect(parse([bytes])).toEqual(seen);
  });

  test("byte by byte", () => {
    expect(parse([...bytes])).toEqual(seen);
  });

  test("cut in two at every point", () => {
    for (const chunks of splits(bytes)) expect(parse(chunks)).toEqual(seen);
  });

  test("not before its last byte has come", () => {
    expect(parse([bytes.slice(0, -1)])).not.toEqual(seen);
  });
});

test("agrees with an independent parser on random requests cut at random points", () => {
  const random = generator(7);
  for (let round = 0; round < 300; round += 1) {
    const requests = Array.from({ length: 1 + random(5) }, () =>
      Array.from({ length: 1 + random(6) }, () => randomBytes(random, random(40))),
    );
    const text = requests.map((words) => bulks(...words)).join("");
    const chunks: string[] = [];
    for (let at = 0; at < text.length; ) {
      const size = 1 + random(23);
      chunks.push(text.slice(at, at + size));
      at += size;
    }
    expect(parse(chunks)).toEqual(requests);
    expect(readByteReplies(text)).toEqual(requests);
  }
});

describe("limits", () => {
  test("takes ten words before authentication and refuses eleven", () => {
    const ten = Array.from({ length: 10 }, () => "x");
    expect(parse([bulks(...ten)], GUEST_LIMITS)).toEqual([ten]);
    expect(parse(["*11\r\n"], GUEST_LIMITS)).toEqual(["Protocol error: invalid multibulk length"]);
  });

  test("takes a bulk of 16 KiB before authentication and refuses one byte more", () => {
    const full = "x".repeat(16 * 1024);
    expect(parse([bulks(full)], GUEST_LIMITS)).toEqual([[full]]);
    expect(parse(["*1\r\n$16385\r\n"], GUEST_LIMITS)).toEqual([
      "Protocol error: invalid bulk length",
    ]);
  });

  test("refuses an inline line beyond 16 KiB before its end has come", () => {
    const chunks = Array.from({ length: 20 }, () => "x".repeat(1024));
    expect(parse(chunks, GUEST_LIMITS)).toEqual(["Protocol error: too big inline request"]);
  });

  test("refuses more than 1 MB of unprocessed requests before authentication", () => {
    const parser = new RequestParser(GUEST_LIMITS);
    const chunk = Buffer.from(bulks("PING").repeat(4096), "latin1");
    expect(() => {
      for (let fed = 0; fed < 2 * 1024 * 1024; fed += chunk.length) parser.feed(chunk);
    }).toThrow("Protocol error: too big request");
  });

  test("counts words of an unfinished request, also empty ones", () => {
    const limits = { ...MEMBER_LIMITS, maxPendingBytes: 10_000 };
    const request = `*1000\r\n${"$0\r\n\r\n".repeat(999)}`;
    expect(parse([request, "$1\r\n"], limits)).toEqual(["Protocol error: too big request"]);
  });

  test("refuses a bulk that would pass the limit when it is announced", () => {
    const limits = { ...MEMBER_LIMITS, maxPendingBytes: 1000 };
    const request = `*2\r\n$900\r\n${"x".repeat(900)}\r\n$200\r\n`;
    expect(parse([request], limits)).toEqual(["Protocol error: too big request"]);
  });

  test("apply from the next request on when they change", () => {
    const parser = new RequestParser(GUEST_LIMITS);
    const many = Array.from({ length: 50 }, () => "x");
    parser.feed(Buffer.from(bulks("AUTH", "p") + bulks(...many), "latin1"));
    expect(parser.next()).toEqual(["AUTH", "p"]);
    parser.limits = MEMBER_LIMITS;
    expect(parser.next()).toEqual(many);
  });
});

function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function randomBytes(random: (below: number) => number, size: number): string {
  return Array.from({ length: size }, () => String.fromCharCode(random(256))).join("");
}

describe("hidden words", () => {
  const hides = (name: string): boolean => name.toLowerCase() === "auth";
  const SECRET = "a hidden word";
  const AUTH = bulks("AUTH", "default", SECRET);

  /** What came out, with the chunks that went in as they are then. */
  function read(texts: readonly string[]) {
    const parser = new RequestParser(MEMBER_LIMITS, hides);
    const chunks = texts.map((text) => Buffer.from(text, "latin1"));
    const seen: { words: string[]; hidden: string[] }[] = [];
    for (const chunk of chunks) {
      parser.feed(chunk);
      for (let words = parser.next(); words !== undefined; words = parser.next()) {
        seen.push({ words, hidden: parser.hidden.map((word) => word.toString("latin1")) });
      }
    }
    return { parser, chunks, seen };
  }

  const EXPECTED = { words: ["AUTH", "", ""], hidden: ["default", SECRET] };

  test.each([
    ["an array", AUTH],
    ["an inline request", `AUTH default "${SECRET}"\r\n`],
    ["an inline request with quotes around its name", `"\\x41UTH" default '${SECRET}'\n`],
  ])("of %s are bytes, and nothing of them stays, wherever it is cut", (_what, text) => {
    for (const texts of [[text], ...splits(text), [...text]]) {
      const { chunks, seen } = read(texts);
      const [first, ...more] = seen;
      expect(first?.hidden).toEqual(EXPECTED.hidden);
      expect(first?.words.slice(1)).toEqual(["", ""]);
      expect(more).toEqual([]);
      expect(Buffer.concat(chunks).toString("latin1")).not.toMatch(/hidden|word|default/);
    }
  });

  test("are those of one request: the next one has none", () => {
    const { seen } = read([bulks("GET", "k") + AUTH + bulks("GET", "k")]);
    const get = { words: ["GET", "k"], hidden: [] };
    expect(seen).toEqual([get, EXPECTED, get]);
  });

  test.each([
    ["a request", AUTH.slice(0, -3)],
    ["its last word", AUTH.slice(0, AUTH.indexOf("$13"))],
    ["a line", `AUTH ${SECRET}`],
  ])("that end with half of %s are overwritten when they are discarded", (_what, text) => {
    for (const texts of [[text], [...text]]) {
      const { parser, chunks, seen } = read(texts);
      expect(seen).toEqual([]);
      expect(parser.pendingBytes).toBeGreaterThan(0);
      parser.discard();
      expect(Buffer.concat(chunks).toString("latin1")).not.toMatch(/hidden|word|default/);
    }
  });

  test("a line with unbalanced quotes is overwritten: it may be one", () => {
    const parser = new RequestParser(MEMBER_LIMITS, hides);
    const chunk = Buffer.from('AUTH "hidden\n');
    parser.feed(chunk);
    expect(() => parser.next()).toThrow("unbalanced quotes");
    expect(chunk.includes("hidden")).toBe(false);
  });
});
