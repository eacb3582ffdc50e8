import { expect, test } from "vitest";
import { dmiTypeName, parseDmi } from "../../../../src/sys/proc/dmi.ts";
import { readFixture } from "../../../fixtures/proc/read-fixture.ts";

const tables = parseDmi(readFixture("dmidecode.txt"));
/** As a client sees it. */
const sections = JSON.parse(JSON.stringify(tables.sections)) as unknown[];

test("names the tools", () => {
  expect(tables.tooling.aggregator).toBe("dmidecode 3.6");
  expect(parseDmi("").tooling.aggregator).toBe("unknown");
});

test("keeps properties with their values and lists", () => {
  expect(sections[0]).toStrictEqual({
    handleline: "Handle 0x0000, DMI type 0, 24 bytes",
    typestr: "BIOS",
    typenum: 0,
    subsections: [
      {
        title: "BIOS Information",
        properties: {
          Vendor: { value: "Example BIOS" },
          "Release Date": { value: "04/01/2014" },
          "ROM Size": { value: "64 kB" },
          Characteristics: {
            value: "",
            items: [
              "BIOS characteristics not supported",
              "Targeted content distribution is supported",
            ],
          },
          Address: { value: "0xE8000: high" },
        },
      },
    ],
  });
});

test("a structure may have several titles", () => {
  expect(sections[1]).toMatchObject({
    typestr: "OnBoardDevices",
    subsections: [
      { title: "On Board Device 1 Information", properties: { Type: { value: "Video" } } },
      {
        title: "On Board Device 2 Information",
        properties: { Type: { value: "Ethernet" }, "No colon here": { value: "" } },
      },
    ],
  });
});

test("remarks of the decoder between structures belong to none", () => {
  expect(sections).toHaveLength(5);
  expect(sections[4]).toMatchObject({ typenum: 127, subsections: [{ title: "End Of Table" }] });
});

test("keys chosen by the firmware are plain members", () => {
  const [section] = parseDmi("Handle 0x1, DMI type 1, 4 bytes\nSystem\n\t__proto__: x\n").sections;
  expect(JSON.stringify(section?.subsections[0]?.properties)).toBe('{"__proto__":{"value":"x"}}');
});

test.each([
  [0, "BIOS"],
  [28, "TempratureProbe"],
  [41, "OnboardDeviceExtendedInformation"],
  [42, "ManagementControllerHostInterface"],
  [43, "Custom Type 43"],
  [127, "Custom Type 127"],
])("type %i is %s", (type, name) => {
  expect(dmiTypeName(type)).toBe(name);
});
