import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseKernelCommandLine } from "../../../src/config/kernel-command-line.ts";
import { DEFAULT_KERNEL_SETTINGS, KERNEL_WORDS } from "../../../src/config/kernel-words.ts";

const parse = parseKernelCommandLine;

test("an empty command line gives the defaults", () => {
  expect(parse("\n")).toEqual({ settings: DEFAULT_KERNEL_SETTINGS, problems: [] });
});

test("words of the kernel and of others are left alone", () => {
  const line = "BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro console=ttyS0,115200 panic=10 -- single";
  expect(parse(line)).toEqual({ settings: DEFAULT_KERNEL_SETTINGS, problems: [] });
});

test.each([
  ["debug", { debug: true }],
  ["quiet", { quiet: true }],
  ["development", { development: true }],
  ["support", { support: true }],
  ["zerotier=8056C2E21C000001", { zerotier: "8056c2e21c000001" }],
  ["organization=blue organization=red", { organizations: ["blue", "red"] }],
  ["noautonic=eth1,eth2 noautonic=wan", { noAutoNic: ["eth1", "eth2", "wan"] }],
  ["node0.password-file=/run/pw", { passwordFile: "/run/pw" }],
  ["node0.password_file=/run/pw", { passwordFile: "/run/pw" }],
  ['node0.password-file="/run/my pw"', { passwordFile: "/run/my pw" }],
  ['"node0.password-file=/run/my pw"', { passwordFile: "/run/my pw" }],
  ["node0.listen=10.0.0.1", { listen: [{ host: "10.0.0.1", port: 6379 }] }],
  ["node0.listen=10.0.0.1:7000", { listen: [{ host: "10.0.0.1", port: 7000 }] }],
  [
    "node0.listen=127.0.0.1 node0.listen=[::1]:7000,::",
    {
      listen: [
        { host: "127.0.0.1", port: 6379 },
        { host: "::1", port: 7000 },
        { host: "::", port: 6379 },
      ],
    },
  ],
  ["node0.hostname=rack-7", { hostname: "rack-7" }],
  ["node0.log-level=warn", { logLevel: "warn" }],
  ["node0.config=/etc/other.toml", { configFile: "/etc/other.toml" }],
  ["node0.probe=example.org:443", { probes: [{ host: "example.org", port: 443 }] }],
])("%s is understood", (line, expected) => {
  expect(parse(line)).toEqual({
    settings: { ...DEFAULT_KERNEL_SETTINGS, ...expected },
    problems: [],
  });
});

test("of a value given twice the last one counts", () => {
  expect(parse("node0.hostname=a node0.hostname=b").settings.hostname).toBe("b");
});

test("a value that is not allowed does not displace an earlier one", () => {
  const { settings, problems } = parse("zerotier=8056c2e21c000001 zerotier=8056");
  expect(settings.zerotier).toBe("8056c2e21c000001");
  expect(problems).toEqual([
    'Cannot use zerotier on the kernel command line: "8056" seen, expected a network id of 16 hexadecimal digits',
  ]);
});

test.each([
  "zerotier",
  "zerotier=",
  "zerotier=8056c2e21c00000g",
  "quiet=1",
  "noautonic=",
  "noautonic=eth0,,eth1",
  "noautonic=a/b",
  "noautonic=sixteen-letters-",
  "organization=",
  "node0.password-file=relative",
  "node0.listen=everywhere",
  "node0.listen=300.0.0.1",
  "node0.listen=10.0.0.1:0",
  "node0.listen=10.0.0.1:65536",
  "node0.hostname=-a",
  "node0.hostname=a.b",
  "node0.log-level=loud",
  "node0.config=",
  "node0.probe=host",
  "node0.probe=host:99999",
])("%s is reported with what, where and the values allowed", (line) => {
  const { problems } = parse(line);
  const name = line.split("=")[0];
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(
    new RegExp(`^Cannot use ${name} on the kernel command line: .+ seen, expected .+`),
  );
});

test("the good items of a list count beside a bad one", () => {
  expect(parse("noautonic=eth0,,eth1").settings.noAutoNic).toEqual(["eth0", "eth1"]);
});

test("an unknown word of node0 is reported with the words there are", () => {
  const { problems } = parse("node0.pasword-file=/x other.word=1");
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain("Cannot use node0.pasword-file on the kernel command line");
  expect(problems[0]).toContain("node0.password-file");
});

test("a quote that never ends takes the rest of the line", () => {
  expect(parse('node0.config="/etc/a b').settings.configFile).toBe("/etc/a b");
});

test("every word is documented", () => {
  const text = readFileSync("docs/kernel-command-line.md", "utf8");
  for (const { name, allowed } of KERNEL_WORDS) {
    expect(text).toContain(`\`${name}`);
    expect(text).toContain(allowed);
  }
});
