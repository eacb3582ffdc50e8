import { describe, expect, test } from "vitest";
import { MessageParser } from "../../../src/job/message-parser.ts";

type Message = [level: number, text: string];

/** What the parser makes of chunks that each filled the read buffer, or did not. */
function parse(chunks: readonly Uint8Array[], isFull = true, limitUnits?: number): Message[] {
  const messages: Message[] = [];
  const parser = new MessageParser(1, (level, text) => messages.push([level, text]), limitUnits);
  for (const chunk of chunks) parser.push(chunk, isFull);
  parser.end();
  return messages;
}

/** Plain text of consecutive chunks is several messages: joined, they must be what one would be. */
function joinPlain(messages: readonly Message[]): Message[] {
  const joined: Message[] = [];
  for (const [level, text] of messages) {
    const last = joined.at(-1);
    if (level === 1 && last?.[0] === 1) last[1] += text;
    else joined.push([level, text]);
  }
  return joined;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const CASES: readonly { rule: string; input: string; messages: Message[] }[] = [
  { rule: "nothing is no message", input: "", messages: [] },
  { rule: "lines without a header are one message", input: "a\nb\n", messages: [[1, "a\nb\n"]] },
  {
    rule: "a single message holds its newline",
    input: '20::{"a":1}\n',
    messages: [[20, '{"a":1}\n']],
  },
  { rule: "a single message may end with the file", input: "2::x", messages: [[2, "x"]] },
  { rule: "a header may be all there is", input: "20::", messages: [[20, ""]] },
  { rule: "a header may have an empty line", input: "20::\n", messages: [[20, "\n"]] },
  {
    rule: "a block keeps the newline after its header and not the one before its closing mark",
    input: "21:::\na: 1\nb: 2\n:::\n",
    messages: [[21, "\na: 1\nb: 2"]],
  },
  {
    rule: "a block may begin on the line of its header",
    input: "3:::a\nb\n:::\n",
    messages: [[3, "a\nb"]],
  },
  { rule: "a block may be empty", input: "20:::\n:::\n", messages: [[20, ""]] },
  {
    rule: "three colons are taken when there are more",
    input: "2::::x\n:::\n",
    messages: [[2, ":x"]],
  },
  {
    rule: "a time of day is plain text",
    input: "12:34:56 hello\n",
    messages: [[1, "12:34:56 hello\n"]],
  },
  {
    rule: "a leading blank makes it plain text",
    input: " 10::k:1|A\n",
    messages: [[1, " 10::k:1|A\n"]],
  },
  { rule: "a header needs digits", input: "::x\nab::y\n", messages: [[1, "::x\nab::y\n"]] },
  {
    rule: "a header counts only at the start of a line",
    input: "ab 20::x\n",
    messages: [[1, "ab 20::x\n"]],
  },
  {
    rule: "text around messages keeps its own level",
    input: "a\n20::x\nb\n",
    messages: [
      [1, "a\n"],
      [20, "x\n"],
      [1, "b\n"],
    ],
  },
  {
    rule: "a one-digit header directly after a closing mark is a header",
    input: "20:::x\n:::\n9::oh no\n",
    messages: [
      [20, "x"],
      [9, "oh no\n"],
    ],
  },
  {
    rule: "a two-digit header directly after a closing mark is a header",
    input: "20:::x\n:::\n30:::y\n:::\n",
    messages: [
      [20, "x"],
      [30, "y"],
    ],
  },
  {
    rule: "an open block is discarded at end of file",
    input: "a\n20:::x\ny\n",
    messages: [[1, "a\n"]],
  },
  { rule: "a closing mark needs its newline", input: "20:::x\n:::", messages: [] },
  {
    rule: "a closing mark needs a line of its own",
    input: "20:::x:::\n ::: \n:::\n",
    messages: [[20, "x:::\n ::: "]],
  },
  { rule: "any level up to 65535 passes", input: "65535::x\n", messages: [[65_535, "x\n"]] },
  { rule: "a larger level becomes 65535", input: "65536::x\n", messages: [[65_535, "x\n"]] },
  { rule: "leading zeros do not matter", input: "0020::x\n", messages: [[20, "x\n"]] },
  { rule: "level 0 is a level", input: "0::x\n", messages: [[0, "x\n"]] },
  { rule: "digits at end of file are plain text", input: "42", messages: [[1, "42"]] },
  { rule: "one colon at end of file is plain text", input: "42:", messages: [[1, "42:"]] },
  {
    rule: "more than 20 digits are plain text",
    input: "111111111111111111111::x\n",
    messages: [[1, "111111111111111111111::x\n"]],
  },
  {
    rule: "characters of several bytes stay whole",
    input: "ä€😀\n20::ä€😀",
    messages: [
      [1, "ä€😀\n"],
      [20, "ä€😀"],
    ],
  },
  {
    rule: "a line separator of Unicode is no line end",
    input: "a\u202820::x\n",
    messages: [[1, "a\u202820::x\n"]],
  },
];

describe.each(CASES)("$rule", ({ input, messages }) => {
  const data = bytes(input);

  test("whole", () => {
    expect(parse([data])).toEqual(messages);
  });

  test("byte by byte", () => {
    const chunks = [...data].map((byte) => Uint8Array.of(byte));
    expect(joinPlain(parse(chunks))).toEqual(messages);
  });

  test("cut at every point", () => {
    for (let at = 0; at <= data.length; at += 1) {
      const chunks = [data.subarray(0, at), data.subarray(at)];
      expect(joinPlain(parse(chunks)), `cut at ${at}`).toEqual(messages);
    }
  });
});

test("plain text of each chunk is delivered at once", () => {
  const messages: Message[] = [];
  const parser = new MessageParser(2, (level, text) => messages.push([level, text]));
  parser.push(bytes("Password: "), false);
  expect(messages).toEqual([[2, "Password: "]]);
});

test("text that may still become a header waits", () => {
  const messages: Message[] = [];
  const parser = new MessageParser(1, (level, text) => messages.push([level, text]));
  parser.push(bytes("a\n20"), false);
  expect(messages).toEqual([[1, "a\n"]]);
});

test("a chunk that did not fill the buffer ends a plain line", () => {
  expect(parse([bytes("working"), bytes("20::x\n")], false)).toEqual([
    [1, "working"],
    [20, "x\n"],
  ]);
});

test("a chunk that filled the buffer does not end a line", () => {
  expect(joinPlain(parse([bytes("date 1"), bytes("2::x\n")], true))).toEqual([[1, "date 12::x\n"]]);
});

test("a message written in pieces stays one message", () => {
  expect(parse([bytes('20::{"a"'), bytes(":1}\n")], false)).toEqual([[20, '{"a":1}\n']]);
});

test("bytes that are not UTF-8 become U+FFFD", () => {
  expect(parse([Uint8Array.of(0x61, 0xff, 0x0a)])).toEqual([[1, "a\ufffd\n"]]);
});

test("a single message beyond the limit is cut and its rest is plain text", () => {
  const chunks = [bytes("20::aaaa"), bytes("bbbb"), bytes("cc\n")];
  expect(parse(chunks, true, 6)).toEqual([
    [20, "aaaabbbb"],
    [1, "cc\n"],
  ]);
});

test("a block beyond the limit keeps its beginning and ends at its mark", () => {
  const chunks = [bytes("20:::aaaa"), bytes("bbbb"), bytes("cc\n::"), bytes(":\nplain\n")];
  expect(parse(chunks, true, 6)).toEqual([
    [20, "aaaabbbb"],
    [1, "plain\n"],
  ]);
});
