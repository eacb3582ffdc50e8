import { expect, test } from "vitest";
import { decodeCommand } from "../../../src/job/decode.ts";
import { formatCommand } from "../../../src/job/format.ts";

const DEFAULTS = {
  id: "a",
  command: "core.ping",
  arguments: undefined,
  queue: "",
  maxTime: 0,
  maxRestart: 0,
  recurringPeriod: 0,
  stream: false,
  statsInterval: 0,
  logLevels: null,
  tags: null,
};

test("members that are missing have their defaults", () => {
  expect(decodeCommand('{"id":"a","command":"core.ping"}')).toEqual(DEFAULTS);
});

test("null means the default for every member", () => {
  const text = `{"id":"a","command":"core.ping","arguments":null,"queue":null,"max_time":null,
    "max_restart":null,"recurring_period":null,"stream":null,"stats_interval":null,
    "log_levels":null,"tags":null}`;
  expect(decodeCommand(text)).toEqual(DEFAULTS);
});

test("every member is read", () => {
  const text = `{"id":"a","command":"core.ping","arguments":{"x":1},"queue":"q","max_time":1,
    "max_restart":2,"recurring_period":3,"stream":true,"stats_interval":4,
    "log_levels":[1,2],"tags":["t"]}`;
  expect(decodeCommand(text)).toEqual({
    id: "a",
    command: "core.ping",
    arguments: { x: 1 },
    queue: "q",
    maxTime: 1,
    maxRestart: 2,
    recurringPeriod: 3,
    stream: true,
    statsInterval: 4,
    logLevels: [1, 2],
    tags: ["t"],
  });
});

test("null is an empty command object, as a null id is an empty id", () => {
  expect(decodeCommand("null").id).toBe("");
  expect(decodeCommand('{"id":null}').id).toBe("");
});

test("empty arguments are not missing arguments", () => {
  expect(decodeCommand('{"arguments":{}}').arguments).toEqual({});
});

test("names match without regard to case", () => {
  expect(decodeCommand('{"ID":"a","Command":"core.ping"}')).toEqual(DEFAULTS);
});

test("an exact name wins over one in another case", () => {
  expect(decodeCommand('{"ID":"b","id":"a","Id":"c","command":"core.ping"}')).toEqual(DEFAULTS);
});

test("unknown members are ignored", () => {
  const text = '{"id":"a","command":"core.ping","protected":true,"__proto__":{"queue":"q"}}';
  expect(decodeCommand(text)).toEqual(DEFAULTS);
});

test.each([
  "",
  "x",
  '{"id":"a"',
  "[]",
  "1",
  '"text"',
  '{"id":1}',
  '{"command":{}}',
  '{"queue":1}',
  '{"max_time":"x"}',
  '{"max_time":1.5}',
  '{"max_time":1e30}',
  '{"max_time":true}',
  '{"stream":1}',
  '{"stream":"true"}',
  '{"tags":"a"}',
  '{"tags":[1]}',
  '{"log_levels":["1"]}',
  '{"log_levels":{}}',
])("a wrong type makes the command undecodable: %s", (text) => {
  expect(() => decodeCommand(text)).toThrow(expect.objectContaining({ code: "E_COMMAND" }));
});

test("a command is shown without the limits that are zero", () => {
  expect(JSON.stringify(formatCommand(decodeCommand('{"id":"a","command":"c"}')))).toBe(
    '{"id":"a","command":"c","arguments":null,"queue":"","stream":false,"tags":null}',
  );
});

test("a command is shown with the limits that are set", () => {
  const text = `{"id":"a","command":"c","arguments":{"x":1},"queue":"q","stats_interval":4,"max_time":1,"max_restart":2,"recurring_period":3,"stream":true,"log_levels":[1],"tags":["t"]}`;
  expect(JSON.stringify(formatCommand(decodeCommand(text)))).toBe(text);
});
