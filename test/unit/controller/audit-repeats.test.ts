import { expect, test } from "vitest";
import type { AuditLine } from "../../../src/controller/audit.ts";
import { AuditRepeats } from "../../../src/controller/audit-repeats.ts";

function repeatsOf() {
  const lines: AuditLine[] = [];
  return { lines, repeats: new AuditRepeats((line) => lines.push(line)) };
}

const LINE = { action: "unlock", subject: "n", actor: "192.0.2.1", outcome: "throttled" };

test("the first line of a kind is written at once, its repeats as one count", () => {
  const { lines, repeats } = repeatsOf();
  for (let i = 0; i < 10_000; i += 1) repeats.append(LINE);
  expect(lines).toStrictEqual([LINE]);
  repeats.flush(60);
  expect(lines[1]).toStrictEqual({ ...LINE, detail: "9999 more within 60 s" });
  expect(lines).toHaveLength(2);
});

test("lines that differ in machine, address or outcome are not repeats", () => {
  const { lines, repeats } = repeatsOf();
  for (const over of [{}, { subject: "m" }, { actor: "192.0.2.2" }, { outcome: "pending" }]) {
    repeats.append({ ...LINE, ...over });
  }
  expect(lines).toHaveLength(4);
  repeats.flush(60);
  expect(lines).toHaveLength(4);
});

test("a new window begins with a line again", () => {
  const { lines, repeats } = repeatsOf();
  repeats.append(LINE);
  repeats.flush(60);
  repeats.append(LINE);
  expect(lines).toStrictEqual([LINE, LINE]);
});

test("a flood of kinds is counted in one line", () => {
  const { lines, repeats } = repeatsOf();
  for (let i = 0; i < 50_000; i += 1) repeats.append({ ...LINE, actor: `source ${i}` });
  repeats.flush(60);
  expect(lines.length).toBeLessThanOrEqual(2001);
  expect(lines.at(-1)?.detail).toMatch(/^48000 requests of many other sources/);
});
