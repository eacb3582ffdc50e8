import { expect, test } from "vitest";
import { JsonEnd } from "../../../src/base/json-end.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

test.each([
  ["{}", 2],
  [' \n\t{"a":[1,{"b":"}]"}]} {"next":1}', 23],
  ['["\\"]","\\\\"] tail', 12],
  ['{"a":"é"}', 10],
  ["{]", 2],
])("%s ends after %i bytes, wherever it is cut", (text, length) => {
  const whole = bytes(text);
  expect(new JsonEnd().feed(whole)).toBe(length);
  const end = new JsonEnd();
  const steps = [...whole].map((_, at) => end.feed(whole.subarray(at, at + 1)));
  expect(steps.slice(0, length - 1).every((step) => step === -1)).toBe(true);
  expect(steps[length - 1]).toBe(1);
});

test.each(["{", '{"a":"}', "[[]", "", "  "])("%j goes on", (text) => {
  expect(new JsonEnd().feed(bytes(text))).toBe(-1);
});

test.each(["null", "1", '"text"', "PING", " x{}"])("%j is neither object nor array", (text) => {
  expect(new JsonEnd().feed(bytes(text))).toBeUndefined();
});
