import { expect, test } from "vitest";
import { buildLocalConf } from "../../../../src/network/overlay/local-conf.ts";

const FILE = "/etc/g8os/zerotier/local.conf";
const build = (value: unknown) => buildLocalConf(JSON.stringify(value), FILE);
const settingsOf = ({ text }: { text: string }) =>
  (JSON.parse(text) as { settings: Record<string, unknown> }).settings;

test("without a file the port is 9993 and the program does not replace itself", () => {
  const conf = buildLocalConf(undefined, FILE);
  expect(conf).toMatchObject({ port: 9993, problems: [] });
  expect(settingsOf(conf)).toStrictEqual({ softwareUpdate: "disable", primaryPort: 9993 });
});

test("what the operator wrote is kept", () => {
  const virtual = { feedbeef12: { try: ["10.10.20.1/9993"] } };
  const conf = build({ virtual, settings: { primaryPort: 9001, softwareUpdate: "download" } });
  expect(conf).toMatchObject({ port: 9001, problems: [] });
  expect(JSON.parse(conf.text)).toStrictEqual({
    virtual,
    settings: { softwareUpdate: "download", primaryPort: 9001 },
  });
});

test.each(["{", "[]", "null", '"x"', "", "\u0000"])(
  "the text %j is reported and left out",
  (text) => {
    const conf = buildLocalConf(text, FILE);
    expect(conf.problems).toHaveLength(1);
    expect(conf.problems[0]).toMatch(/^Cannot use \/etc\/g8os\/zerotier\/local\.conf: .*left out$/);
    expect(settingsOf(conf)["primaryPort"]).toBe(9993);
  },
);

test.each([0, -1, 65_536, 1.5, "9993", true, [9993]])(
  "port %j is reported, 9993 is used",
  (primaryPort) => {
    const conf = build({ settings: { primaryPort } });
    expect(conf.port).toBe(9993);
    expect(settingsOf(conf)["primaryPort"]).toBe(9993);
    expect(conf.problems[0]).toContain("expected an integer from 1 to 65535");
  },
);

test.each([
  "0.0.0.0/0",
  ["10.0.0.0/8"],
  ["127.0.0.0/8", "10.0.0.1/32"],
  ["127.0.0.1/0"],
  ["::/0"],
  "127.0.0.1,0.0.0.0/0",
  [7],
  {},
  true,
])("management from %j is refused", (allowManagementFrom) => {
  const conf = build({ settings: { allowManagementFrom } });
  expect(settingsOf(conf)).not.toHaveProperty("allowManagementFrom");
  expect(conf.problems[0]).toContain("settings.allowManagementFrom");
});

test.each([null, [], "127.0.0.1/32", ["127.0.0.0/8", "::1/128"], ["127.0.0.1"]])(
  "management from %j stays on the machine and is kept",
  (allowManagementFrom) => {
    const conf = build({ settings: { allowManagementFrom } });
    expect(conf.problems).toStrictEqual([]);
    expect(settingsOf(conf)["allowManagementFrom"]).toStrictEqual(allowManagementFrom);
  },
);

test("settings that are no object are reported", () => {
  const conf = build({ settings: 7, physical: {} });
  expect(conf.problems[0]).toContain("settings in /etc/g8os/zerotier/local.conf: 7 seen");
  expect(JSON.parse(conf.text)).toMatchObject({ physical: {}, settings: { primaryPort: 9993 } });
});
