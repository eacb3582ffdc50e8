import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseNetworkConfig } from "../../../src/config/network-config-parse.ts";

const docs = readFileSync("docs/network.md", "utf8");
const examples = [...docs.matchAll(/^```toml\n([\s\S]*?)^```$/gm)].map(([, text]) => text ?? "");

test("docs/network.md has examples", () => {
  expect(examples.length).toBeGreaterThan(8);
});

test.each(examples)("an example of docs/network.md has no mistake: %j", (text) => {
  expect(parseNetworkConfig(text, "net.toml").problems).toEqual([]);
});

test.each([
  ["x = 1", "`[", "]"],
  ["[network]\nx = 1", "`", "`"],
  ["[interface.a]\nprotocol = 'none'\nx = 1", "`", "`"],
  ["[interface.a]\nprotocol = 'none'\nvlan = { link = 'b', id = 1, x = 1 }", "`vlan.", "`"],
  ["[interface.a]\nprotocol = 'none'\nbond = { members = ['b'], x = 1 }", "`bond.", "`"],
  ["[interface.a]\nprotocol = 'none'\nbridge = { x = 1 }", "`bridge.", "`"],
  ["[interface.a]\nprotocol = 'static'\n[static.a]\nip = '10.0.0.5/8'\nx = 1", "`", "`"],
  [
    "[interface.a]\nprotocol = 'static'\n[static.a]\nip = '10.0.0.5/8'\nroute = [{ to = '10.1.0.0/16', x = 1 }]",
    "`",
    "`",
  ],
  ["[[controller]]\nurl = 'https://a'\nca = '/a'\nx = 1", "`", "`"],
])("docs/network.md describes every key that is allowed beside %j", (text, before, after) => {
  const [problem = ""] = parseNetworkConfig(text, "net.toml").problems;
  const keys = / an unknown key seen, expected one of (.+)$/.exec(problem)?.[1]?.split(", ") ?? [];
  expect(keys.length).toBeGreaterThan(1);
  for (const key of keys) {
    if (before === "`[") expect(docs).toMatch(new RegExp(`\`\\[\\[?${key}\\b`));
    else expect(docs).toContain(`| ${before}${key}${after} |`);
  }
});

test("the mistake shown in docs/network.md is told like that", () => {
  const [example = ""] = examples;
  const broken = example.replace('gateway = "10.0.0.1"', 'gateway = "10.1.0.1"');
  const [problem = ""] = parseNetworkConfig(broken, "/etc/g8os/net.toml").problems;
  expect(docs).toContain(`\n${problem}\n`);
});
