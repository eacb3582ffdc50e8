import { describe, expect, test } from "vitest";
import {
  buildSshdConfig,
  parseListenAddresses,
  type SshdPlan,
} from "../../../src/service/sshd-config.ts";

const PLAN: SshdPlan = {
  listen: [
    { host: "10.0.2.15", port: 22 },
    { host: "fd00::1", port: 2222 },
  ],
  hostKeys: ["/mnt/etc/ssh/ssh_host_ed25519_key"],
  authorizedKeys: "/mnt/etc/ssh/authorized_keys",
  fingerprints: ["SHA256:abc"],
  own: null,
};

const build = (over: Partial<SshdPlan> = {}): string[] =>
  buildSshdConfig({ ...PLAN, ...over }).split("\n");
const own = (text: string): SshdPlan["own"] => ({ path: "/run/own", text });

test("root gets in by key alone, on the addresses that were given", () => {
  expect(build()).toEqual(
    expect.arrayContaining([
      "ListenAddress 10.0.2.15:22",
      "ListenAddress [fd00::1]:2222",
      "HostKey /mnt/etc/ssh/ssh_host_ed25519_key",
      "AuthorizedKeysFile /mnt/etc/ssh/authorized_keys",
      "AllowUsers root",
      "PermitRootLogin prohibit-password",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "UsePAM no",
      "Subsystem sftp internal-sftp",
    ]),
  );
});

test("another host key gives another text, so that sshd is started again", () => {
  expect(build({ fingerprints: ["SHA256:xyz"] })).not.toEqual(build());
});

describe("own settings", () => {
  test("stand before ours, because the first value wins", () => {
    const lines = build({ own: own("PasswordAuthentication yes\n") });
    expect(lines.indexOf("Include /run/own")).toBeGreaterThan(-1);
    expect(lines.indexOf("Include /run/own")).toBeLessThan(
      lines.indexOf("PasswordAuthentication no"),
    );
  });

  test.each([
    ["ListenAddress", "listenaddress 192.0.2.1"],
    ["ListenAddress", "  Port=2222"],
    ["HostKey", "HostKey /mnt/etc/ssh/other"],
    ["Subsystem", 'Subsystem\t"sftp" /bin/false'],
  ])("take the place of our %s where %j would add up with it", (name, text) => {
    expect(build({ own: own(`# first\n${text}\n`) }).some((line) => line.startsWith(name))).toBe(
      false,
    );
  });

  test("in a comment are none", () => {
    expect(build({ own: own("# Port 2222\n") })).toContain("ListenAddress 10.0.2.15:22");
  });
});

test.each([
  { listen: [{ host: "0.0.0.0\nPermitRootLogin yes", port: 22 }] },
  { listen: [{ host: "node.example", port: 22 }] },
  { listen: [{ host: "::", port: 0 }] },
  { hostKeys: ["/mnt/etc/ssh/key\nUsePAM yes"] },
  { authorizedKeys: "relative" },
  { authorizedKeys: "/home/%u/keys" },
])("what is no address or path is refused: %j", (over) => {
  expect(() => build(over)).toThrow(expect.objectContaining({ code: "E_SSHD_CONFIG" }));
});

test("a fingerprint cannot end its comment", () => {
  const lines = build({ fingerprints: ["a\nUsePAM yes"] });
  expect(lines).toContain("# aUsePAM yes");
});

test("addresses in force are read from what sshd prints", () => {
  const text = "port 22\nlistenaddress 0.0.0.0:22\nlistenaddress [::]:2222\nusepam no\n";
  expect(parseListenAddresses(text)).toEqual([
    { host: "0.0.0.0", port: 22 },
    { host: "::", port: 2222 },
  ]);
});
