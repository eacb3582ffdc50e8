import { expect, test } from "vitest";
import { addNetworkConfig } from "../../../src/config/network-config-extra.ts";
import { parseNetworkConfig } from "../../../src/config/network-config-parse.ts";
import type { LoadedNetworkConfig } from "../../../src/config/network-types.ts";

const BASE = `
[network]
dns = ["10.0.0.53"]
[interface.eth0]
protocol = "dhcp"
[interface.uplink]
mac = "52:54:00:00:00:02"
protocol = "dhcp"
[[controller]]
url = "https://controller.example.net"
ca = "/etc/g8os/ca.crt"
`;

const load = (text: string, file: string): LoadedNetworkConfig => parseNetworkConfig(text, file);

function add(extra: string): LoadedNetworkConfig {
  return addNetworkConfig(load(BASE, "/etc/g8os/net.toml"), load(extra, "/x/net.toml"));
}

test("interfaces come in place of those of the same name or address, the others stay", () => {
  const { config, problems } = add(`
[interface.eth0]
protocol = "none"
[interface.storage]
mac = "52:54:00:00:00:02"
protocol = "dhcp"
[interface.eth2]
protocol = "dhcp"
`);
  expect(problems).toEqual([]);
  expect(config.interfaces.map(({ name, protocol }) => `${name} ${protocol}`)).toEqual([
    "eth0 none",
    "storage dhcp",
    "eth2 dhcp",
  ]);
});

test("name servers come before those of the image, each once", () => {
  const { config } = add('[network]\ndns = ["10.9.9.9", "10.0.0.53"]\n');
  expect(config.dns.servers).toEqual(["10.9.9.9", "10.0.0.53"]);
});

test("controllers and probes stay those of the image, and that is told", () => {
  const { config, problems } = add(`
[[controller]]
url = "https://other.example.net"
ca = "/etc/other.crt"
`);
  expect(config.controllers.map(({ url }) => url)).toEqual(["https://controller.example.net"]);
  expect(problems).toEqual([
    "Cannot use controllers of /x/net.toml: those of /etc/g8os/net.toml stay in force",
  ]);
});

test("with a mistake nothing of it is used, and with none there it changes nothing", () => {
  const base = load(BASE, "/etc/g8os/net.toml");
  const broken = add('[interface.eth0]\nprotocol = "dchp"\n');
  expect(broken.config).toEqual(base.config);
  expect(broken.problems.join()).toContain("dchp");
  const absent = { ...load("", "/x/net.toml"), isPresent: false };
  expect(addNetworkConfig(base, absent)).toBe(base);
});
