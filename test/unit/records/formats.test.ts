import { describe, expect, test } from "vitest";
import { formatJsonLine } from "../../../src/records/json-line.ts";
import { recordText } from "../../../src/records/record-text.ts";
import { formatTime } from "../../../src/records/record-time.ts";
import { formatSyslog } from "../../../src/records/syslog.ts";
import { record } from "./records.ts";
import { readSyslog } from "./syslog-reader.ts";

test("a log record is that of wire protocol 8", () => {
  const text = recordText(record({ jobId: "a", text: 'say "<b>"\n', level: 20, flags: 3 }));
  expect(text).toBe(
    '{"core":0,"command":"a","message":{"message":"say \\"\\u003cb\\u003e\\"\\n","epoch":1795168494659594248,"meta":1310723}}',
  );
});

test("a lone surrogate becomes a replacement character", () => {
  expect(JSON.parse(recordText(record({ text: "a\ud800b" }))).message.message).toBe("a\ufffdb");
});

test.each([
  [0n, 9, "1970-01-01T00:00:00.000000000Z"],
  [1n, 6, "1970-01-01T00:00:00.000000Z"],
  [1_795_168_494_659_594_248n, 9, "2026-11-20T09:54:54.659594248Z"],
  [1_795_168_494_009_594_248n, 6, "2026-11-20T09:54:54.009594Z"],
])("%d ns with %i digits is %s", (epochNs, digits, text) => {
  expect(formatTime(epochNs, digits)).toBe(text);
});

describe("a line of JSON", () => {
  test("has every member of a record", () => {
    expect(JSON.parse(formatJsonLine(record({ level: 9, flags: 4 }), "node-1"))).toStrictEqual({
      time: "2026-11-20T09:54:54.659594248Z",
      node: "node-1",
      core: 0,
      job: "job",
      level: 9,
      end: "error",
      message: "text\n",
    });
  });

  test("is one line, whatever the text", () => {
    const line = formatJsonLine(record({ text: "a\nb\r\u2028c\0", jobId: '"\n' }));
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(JSON.parse(line)).toMatchObject({ message: "a\nb\r\u2028c\0", job: '"\n' });
  });
});

describe("syslog", () => {
  test("carries time, node, job, level and text", () => {
    expect(readSyslog(formatSyslog(record({ flags: 2 }), "node-1"))).toStrictEqual([
      {
        priority: 14,
        time: "2026-11-20T09:54:54.659594Z",
        host: "node-1",
        app: "node0",
        process: "-",
        id: "-",
        data: { job: "job", level: "1", core: "0", end: "success" },
        text: "text",
      },
    ]);
  });

  test.each([
    [1, 6],
    [2, 5],
    [7, 4],
    [8, 3],
    [9, 2],
    [10, 7],
    [11, 7],
    [20, 6],
    [65_535, 6],
  ])("level %i has severity %i", (level, severity) => {
    expect(readSyslog(formatSyslog(record({ level }), "n"))[0]?.priority).toBe(8 + severity);
  });

  test.each(['"] [x y="z', "a\\", "\u0000\n\u007f", "ü€😀", "", "x".repeat(5000)])(
    "job id %j breaks nothing",
    (jobId) => {
      const messages = readSyslog(formatSyslog(record({ jobId }), "n"));
      expect(messages).toHaveLength(1);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
      const shown = jobId.slice(0, 256).replaceAll(/[\u0000-\u001f\u007f]/g, "?");
      expect(messages[0]?.data["job"]).toBe(shown);
    },
  );

  test.each(["näme with blank", "", "x".repeat(300)])("host name %j fits the header", (host) => {
    expect(readSyslog(formatSyslog(record(), host))).toHaveLength(1);
  });

  test("an empty text is no text", () => {
    expect(readSyslog(formatSyslog(record({ text: "" }), "n"))[0]?.text).toBe("");
  });

  test.each(["x", "ü", "€", "😀"])("a long text of %s comes whole, in parts", (unit) => {
    const text = unit.repeat(20_000);
    const messages = readSyslog(formatSyslog(record({ text }), "n"));
    expect(messages.length).toBeGreaterThan(2);
    expect(messages.map((message) => message.text).join("")).toBe(text);
    expect(messages.map(({ data }) => data["part"])).toStrictEqual(
      messages.map((_, at) => `${at + 1}/${messages.length}`),
    );
    for (const message of messages) {
      expect(Buffer.byteLength(message.text)).toBeLessThanOrEqual(7168);
    }
  });
});
