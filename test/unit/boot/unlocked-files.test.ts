import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { UnlockedFiles } from "../../../src/boot/unlocked-files.ts";
import { linuxFiles } from "../../../src/sys/files-linux.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

const made: string[] = [];
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

function unlocked() {
  const directory = join(mkdtempSync(join(tmpdir(), "node0-unlocked-")), "unlocked");
  made.push(join(directory, ".."));
  const taker = new UnlockedFiles({ files: linuxFiles, log: new QuietLog(), directory });
  return { directory, taker };
}

const source = (text: string | undefined, identity?: { secret: string; open: string }) => ({
  readNetToml: async () => text,
  readOverlayIdentity: async () => identity,
});
const GOOD = '[interface.eth1]\nprotocol = "dhcp"\n';

test("net.toml is copied where only root reads it, and is new once", async () => {
  const { taker, directory } = unlocked();
  expect(await taker.takeNetToml(source(GOOD))).toEqual({ isChanged: true, problem: "" });
  expect(readFileSync(join(directory, "net.toml"), "utf8")).toBe(GOOD);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, "net.toml")).mode & 0o777).toBe(0o600);
  expect(await taker.takeNetToml(source(GOOD))).toEqual({ isChanged: false, problem: "" });
  expect(await taker.takeNetToml(source(undefined))).toEqual({ isChanged: true, problem: "" });
  expect(linuxFiles.exists(join(directory, "net.toml"))).toBe(false);
  expect(await taker.takeNetToml(source(undefined))).toEqual({ isChanged: false, problem: "" });
});

test("a net.toml with a mistake is named as the operator knows it, and the one before stays", async () => {
  const { taker, directory } = unlocked();
  await taker.takeNetToml(source(GOOD));
  const { isChanged, problem } = await taker.takeNetToml(source('[interface.eth1]\nmtu = "big"\n'));
  expect(isChanged).toBe(false);
  expect(problem).toContain("/mnt/etc/net.toml");
  expect(readFileSync(join(directory, "net.toml"), "utf8")).toBe(GOOD);
});

test("a configuration that cannot be read is told and changes nothing", async () => {
  const { taker } = unlocked();
  const broken = {
    readNetToml: () => Promise.reject(new Error("its ciphertext is damaged (EIO)")),
    readOverlayIdentity: () => Promise.reject(new Error("its ciphertext is damaged (EIO)")),
  };
  expect(await taker.takeNetToml(broken)).toEqual({
    isChanged: false,
    problem: "its ciphertext is damaged (EIO)",
  });
  expect(await taker.takeOverlayIdentity(broken)).toBe("its ciphertext is damaged (EIO)");
});

test("an identity of the overlay is copied, and without one no directory is made for it", async () => {
  const { taker, directory } = unlocked();
  expect(await taker.takeOverlayIdentity(source(undefined))).toBe("");
  expect(linuxFiles.exists(join(directory, "zerotier"))).toBe(false);
  const identity = { secret: "aa:0:bb:cc", open: "aa:0:bb" };
  expect(await taker.takeOverlayIdentity(source(undefined, identity))).toBe("");
  expect(readFileSync(join(directory, "zerotier/identity.secret"), "utf8")).toBe("aa:0:bb:cc");
  expect(readFileSync(join(directory, "zerotier/identity.public"), "utf8")).toBe("aa:0:bb");
});

const startup = (texts: Record<string, string>, problems: string[] = []) => ({
  readStartup: async () => ({ texts: new Map(Object.entries(texts)), problems }),
});

test("start-up files are copied where only root reads them, and go with the originals", async () => {
  const { taker, directory } = unlocked();
  const at = (name: string): string => join(directory, "conf.d", name);
  expect(await taker.takeStartup(startup({}))).toBe("");
  expect(linuxFiles.exists(join(directory, "conf.d"))).toBe(false);
  expect(await taker.takeStartup(startup({ "a.toml": "a", "b.toml": "b" }))).toBe("");
  expect(statSync(join(directory, "conf.d")).mode & 0o777).toBe(0o700);
  expect(statSync(at("a.toml")).mode & 0o777).toBe(0o600);
  const problem = "Cannot read conf.d/c.toml: a link seen, expected no link";
  expect(await taker.takeStartup(startup({ "b.toml": "new" }, [problem]))).toBe(problem);
  expect([linuxFiles.readText(at("a.toml")), linuxFiles.readText(at("b.toml"))]).toEqual([
    undefined,
    "new",
  ]);
});
