import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ZeroTierHome } from "../../src/network/overlay/zerotier-home.ts";

const identity = (digit: string): string =>
  `${digit.repeat(10)}:0:${digit.repeat(128)}:${digit.repeat(128)}`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "node0-overlay-home-"));
  mkdirSync(path("conf/moons.d"), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

const path = (name: string): string => join(root, name);
const text = (name: string): string => readFileSync(path(name), "utf8");

const open = (): ZeroTierHome =>
  new ZeroTierHome({
    home: path("run/zerotier"),
    configuration: path("conf"),
    places: [
      { directory: path("unlocked/zerotier"), mustExist: true },
      { directory: path("cache/zerotier"), mustExist: false },
    ],
  });

test("without any place the directory is ready, and the service makes the identity", () => {
  const home = open();
  home.prepare();
  expect(readdirSync(path("run/zerotier"))).toStrictEqual(["local.conf"]);
  expect(home.keepIdentity()).toBeUndefined();
  expect(home.hasOtherIdentity()).toBe(false);
});

test("a new identity is kept in the first place there is, for root alone", () => {
  mkdirSync(path("cache"));
  const home = open();
  home.prepare();
  expect(home.keepIdentity()).toBeUndefined();
  writeFileSync(path("run/zerotier/identity.secret"), identity("a"));
  expect(home.keepIdentity()).toBe(path("cache/zerotier"));
  expect(text("cache/zerotier/identity.secret")).toBe(identity("a"));
  expect(statSync(path("cache/zerotier")).mode & 0o777).toBe(0o700);
  expect(statSync(path("cache/zerotier/identity.secret")).mode & 0o777).toBe(0o600);
  expect(home.keepIdentity()).toBeUndefined();
});

test("the unlocked configuration goes before the cache disk, and only where it exists", () => {
  mkdirSync(path("cache/zerotier"), { recursive: true });
  writeFileSync(path("cache/zerotier/identity.secret"), identity("c"));
  mkdirSync(path("unlocked"));
  open().prepare();
  expect(text("run/zerotier/identity.secret")).toBe(identity("c"));
  mkdirSync(path("unlocked/zerotier"));
  writeFileSync(path("unlocked/zerotier/identity.secret"), identity("b"));
  const home = open();
  expect(home.hasOtherIdentity()).toBe(true);
  home.prepare();
  expect(text("run/zerotier/identity.secret")).toBe(identity("b"));
  expect(home.hasOtherIdentity()).toBe(false);
});

test.each(["", "aaaaaaaaaa:0:bb", "zz", `${identity("a")}:0`, "\u0000"])(
  "a kept identity %j is reported, not used, and left for a person",
  (broken) => {
    mkdirSync(path("unlocked/zerotier"), { recursive: true });
    writeFileSync(path("unlocked/zerotier/identity.secret"), broken);
    const home = open();
    home.prepare();
    expect(home.problems).toStrictEqual([
      `Cannot use ${path("unlocked/zerotier")}/identity.secret: not an identity, another one is used`,
    ]);
    writeFileSync(path("run/zerotier/identity.secret"), identity("a"));
    expect(home.keepIdentity()).toBeUndefined();
    expect(text("unlocked/zerotier/identity.secret")).toBe(broken);
  },
);

test("planet, moons and local.conf are copied, and again with every start", () => {
  writeFileSync(path("conf/planet"), "one");
  writeFileSync(path("conf/moons.d/000000deadbeef00.moon"), "moon");
  writeFileSync(path("conf/local.conf"), '{"settings":{"primaryPort":9001}}');
  const home = open();
  home.prepare();
  writeFileSync(path("conf/planet"), "two");
  home.prepare();
  expect(home.problems).toStrictEqual([]);
  expect(home.port).toBe(9001);
  expect(text("run/zerotier/planet")).toBe("two");
  expect(text("run/zerotier/moons.d/000000deadbeef00.moon")).toBe("moon");
});

test("files that cannot be what they are named for are reported and left out", () => {
  mkdirSync(path("conf/planet"));
  writeFileSync(path("conf/moons.d/000000deadbeef00.moon"), Buffer.alloc(300 * 1024));
  writeFileSync(path("conf/moons.d/..evil.moon"), "x");
  const home = open();
  home.prepare();
  expect(home.problems).toHaveLength(3);
  expect(existsSync(path("run/zerotier/planet"))).toBe(false);
  expect(readdirSync(path("run/zerotier/moons.d"))).toStrictEqual([]);
});

test("what the service keeps in its home stays over a restart", () => {
  const home = open();
  home.prepare();
  mkdirSync(path("run/zerotier/networks.d"));
  writeFileSync(path("run/zerotier/networks.d/8056c2e21c000001.conf"), "");
  chmodSync(path("run/zerotier"), 0o755);
  home.prepare();
  expect(existsSync(path("run/zerotier/networks.d/8056c2e21c000001.conf"))).toBe(true);
  expect(statSync(path("run/zerotier")).mode & 0o777).toBe(0o700);
});
