import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UnlockedFiles } from "../../src/boot/unlocked-files.ts";
import { readTexts } from "../../src/startup/read-texts.ts";
import { linuxFiles } from "../../src/sys/files-linux.ts";
import { PrivateFiles } from "../../src/vault/private-files.ts";
import { MANIFEST_PATH } from "../../src/vault/private-manifest.ts";
import { readPrivate } from "../../src/vault/read-private.ts";
import { verifyPrivate } from "../../src/vault/verify-private.ts";
import { QuietLog } from "../fakes/quiet-log.ts";
import { SAMPLE, VaultHome } from "./support/vault-home.ts";

const FILES = Object.keys(SAMPLE).length;
const { signal } = new AbortController();
let home: VaultHome;

beforeEach(() => {
  home = new VaultHome();
});
afterEach(() => home.remove());

/** @returns How mounting and reading everything failed; empty when all is well. */
async function open(key = home.key): Promise<string> {
  const vault = home.gocryptfs();
  const { baked, mountpoint } = home.directories;
  try {
    await vault.mount(baked, Buffer.from(key), signal);
    await verifyPrivate(mountpoint, signal);
    return "";
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    return `${code} ${message}`;
  }
}

function flipBit(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 0x01;
  rmSync(path);
  writeFileSync(path, bytes);
}

test("the right key opens it read-only, and the key is wiped", async () => {
  home.encrypt(SAMPLE);
  const key = Buffer.from(home.key);
  const { baked, mountpoint } = home.directories;
  await home.gocryptfs().mount(baked, key, signal);
  expect(key.every((byte) => byte === 0)).toBe(true);
  expect(await verifyPrivate(mountpoint, signal)).toBe(FILES);
  expect(() => writeFileSync(join(mountpoint, "new"), "")).toThrow("EROFS");
  const line = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .find((one) => one.includes(` ${mountpoint} `));
  expect(line?.split(" ")[3]?.split(",")).toEqual(
    expect.arrayContaining(["ro", "nosuid", "nodev", "noexec"]),
  );
});

test("a wrong key is told as such, and leaves nothing behind", async () => {
  home.encrypt(SAMPLE);
  const wrong = Buffer.alloc(32, 7).toString("base64");
  expect(await open(wrong)).toContain("E_VAULT_KEY the key does not open the ciphertext");
  expect(home.isMounted()).toBe(false);
  expect(existsSync(join(home.services, "gocryptfs.json"))).toBe(false);
});

test("ciphertext without its gocryptfs.conf is told as incomplete", async () => {
  home.encrypt(SAMPLE);
  rmSync(join(home.directories.baked, "gocryptfs.conf"));
  expect(await open()).toContain("E_VAULT_CIPHERTEXT the ciphertext is not complete");
});

test("a gocryptfs.conf that is garbage is told as damaged", async () => {
  home.encrypt(SAMPLE);
  const conf = join(home.directories.baked, "gocryptfs.conf");
  rmSync(conf);
  writeFileSync(conf, "{ garbage");
  expect(await open()).toContain("E_VAULT_CIPHERTEXT the ciphertext is damaged: gocryptfs.conf");
});

test("a flipped bit in any file but the configuration's comments is found", async () => {
  home.encrypt(SAMPLE);
  expect(await open()).toBe("");
  await home.gocryptfs().unmount();
  const files = home.ciphertextFiles();
  expect(files.length).toBeGreaterThan(FILES);
  for (const path of files) {
    const original = readFileSync(path);
    // In the configuration: a character in the middle of the encrypted key.
    const isConf = path.endsWith("gocryptfs.conf");
    const at = isConf ? original.indexOf("EncryptedKey") + 30 : Math.floor(original.length / 2);
    flipBit(path, at);
    expect(await open(), path).toMatch(/^E_VAULT_(KEY|CIPHERTEXT|FILE) .*(damaged|wrong key)/);
    await home.gocryptfs().unmount();
    rmSync(path);
    writeFileSync(path, original);
  }
  expect(await open()).toBe("");
});

test("a file that was cut, or is gone, is found", async () => {
  home.encrypt(SAMPLE);
  const [largest = ""] = home
    .ciphertextFiles()
    .sort((one, other) => statSync(other).size - statSync(one).size);
  const bytes = readFileSync(largest);
  rmSync(largest);
  // At the end of the first block: header of 18, 16 of nonce and of tag around 4096.
  writeFileSync(largest, bytes.subarray(0, 18 + 16 + 4096 + 16));
  expect(await open()).toContain("deep/er/file is damaged");
  await home.gocryptfs().unmount();
  rmSync(largest);
  expect(await open()).toContain("deep/er/file is missing");
});

test("a configuration without client certificate is of no use", async () => {
  home.encrypt({ "redis/password": "x\n" });
  expect(await open()).toContain("has no tls/client.crt and no tls/client.key");
});

test("the next agent finds the mount and asks for no key", async () => {
  home.encrypt(SAMPLE);
  expect(await open()).toBe("");
  const next = home.gocryptfs();
  expect(next.mounted()).toBe(home.directories.baked);
  await next.unmount();
  expect(home.isMounted()).toBe(false);
});

test("gocryptfs that was killed counts as gone, and its mount is cleared away", async () => {
  home.encrypt(SAMPLE);
  expect(await open()).toBe("");
  const { pid } = JSON.parse(readFileSync(join(home.services, "gocryptfs.json"), "utf8"));
  process.kill(pid, "SIGKILL");
  await expect.poll(() => home.gocryptfs().mounted()).toBeUndefined();
  await home.gocryptfs().unmount();
  expect(home.isMounted()).toBe(false);
  expect(await open()).toBe("");
});

test("gocryptfs that hangs is told as such, and holds up neither other files nor the next mount", async () => {
  home.encrypt(SAMPLE);
  expect(await open()).toBe("");
  const { pid } = JSON.parse(readFileSync(join(home.services, "gocryptfs.json"), "utf8"));
  process.kill(pid, "SIGSTOP");
  const files = new PrivateFiles(home.directories.mountpoint);
  // More than there are threads for files.
  const reads = Array.from({ length: 8 }, () =>
    Promise.all([files.readIdentity(), files.readNetToml()]).then(
      () => "answered",
      (error: Error) => error.message,
    ),
  );
  expect(await readFile("/proc/self/comm", "utf8")).not.toBe("");
  for (const reason of await Promise.all(reads)) {
    expect(reason).toMatch(/^Cannot read \S+: its file system has not answered for 5 s$/);
  }
  await expect(verifyPrivate(home.directories.mountpoint, signal)).rejects.toThrow("not answered");
  expect(await readFile("/proc/self/comm", "utf8")).not.toBe("");
  await home.gocryptfs().unmount();
  expect(home.isMounted()).toBe(false);
  await expect.poll(() => open()).toBe("");
});

test("start-up files are copied from the mount; one that hangs costs them alone", async () => {
  home.encrypt({ ...SAMPLE, "conf.d/a.toml": "# a\n", "conf.d/notes": "none" });
  expect(await open()).toBe("");
  const directory = join(home.services, "unlocked");
  const unlocked = new UnlockedFiles({ files: linuxFiles, log: new QuietLog(), directory });
  const files = new PrivateFiles(home.directories.mountpoint);
  expect(await unlocked.takeStartup(files)).toBe("");
  expect(linuxFiles.list(join(directory, "conf.d"))).toEqual(["a.toml"]);
  expect(readFileSync(join(directory, "conf.d/a.toml"), "utf8")).toBe("# a\n");
  const { pid } = JSON.parse(readFileSync(join(home.services, "gocryptfs.json"), "utf8"));
  process.kill(pid, "SIGSTOP");
  const silent = { path: join(home.directories.mountpoint, "conf.d"), isRequired: false };
  const answering = { path: join(directory, "conf.d"), isRequired: true };
  const [problem, read] = await Promise.all([
    unlocked.takeStartup(files),
    readTexts([silent, answering]),
  ]);
  expect(problem).toMatch(/its file system has not answered for 5 s$/);
  expect(read.texts.map(({ text }) => text)).toEqual(["# a\n"]);
  expect(read.problems).toEqual([
    `Cannot read ${silent.path}: its file system has not answered for 5 s`,
  ]);
  expect(linuxFiles.list(join(directory, "conf.d"))).toEqual(["a.toml"]);
  await home.gocryptfs().unmount();
});

test("gocryptfs that hangs in the middle of the check leaves a thread for other files, until it is killed", async () => {
  const more = Array.from({ length: 40 }, (_, index) => [`more/${index}`, `${index}`]);
  home.encrypt({ ...SAMPLE, ...Object.fromEntries(more) });
  const { baked, mountpoint } = home.directories;
  await home.gocryptfs().mount(baked, Buffer.from(home.key), signal);
  const { pid } = JSON.parse(readFileSync(join(home.services, "gocryptfs.json"), "utf8"));
  let looks = 0;
  const stopping = new AbortController().signal;
  // Looked at before each entry.
  stopping.throwIfAborted = () => {
    looks += 1;
    if (looks === 20) process.kill(pid, "SIGSTOP");
  };
  let isOver = false;
  const ended = verifyPrivate(mountpoint, stopping).then(String, ({ message }: Error) => {
    isOver = true;
    return message;
  });
  await expect.poll(() => looks).toBeGreaterThanOrEqual(20);
  expect(await readFile("/proc/self/comm", "utf8")).not.toBe("");
  expect(isOver).toBe(false);
  expect(await ended).toMatch(/^Cannot read \S+: its file system has not answered for 5 s$/);
  expect(await readFile("/proc/self/comm", "utf8")).not.toBe("");
  await home.gocryptfs().unmount();
  expect(home.isMounted()).toBe(false);
  await expect.poll(() => open()).toBe("");
  expect(looks).toBeLessThan(30);
});

test("a mount in use is taken away all the same", async () => {
  home.encrypt(SAMPLE);
  expect(await open()).toBe("");
  const held = openSync(join(home.directories.mountpoint, "redis"), "r");
  try {
    await home.gocryptfs().unmount();
    expect(home.isMounted()).toBe(false);
  } finally {
    closeSync(held);
  }
});

test("the key is in no command line, environment, output or record", async () => {
  home.encrypt(SAMPLE);
  expect(await open()).toBe("");
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const places = processes.flatMap((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`]);
  const state = readdirSync(home.services).map((name) => join(home.services, name));
  const read = (path: string): string => {
    try {
      return readFileSync(path, "latin1");
    } catch {
      return "";
    }
  };
  expect([...places, ...state].filter((path) => read(path).includes(home.key))).toEqual([]);
  expect(JSON.stringify(home.log.lines)).not.toContain(home.key);
  const { pid } = JSON.parse(readFileSync(join(home.services, "gocryptfs.json"), "utf8"));
  expect(read(`/proc/${pid}/coredump_filter`).trim()).toBe("00000000");
});

test("files are read by their known names, the password without its line end", async () => {
  home.encrypt({ ...SAMPLE, "redis/password": "secret\r\nsecond\n" });
  expect(await open()).toBe("");
  const files = new PrivateFiles(home.directories.mountpoint);
  expect((await files.readPassword())?.toString()).toBe("secret");
  expect(await files.readNetToml()).toBeUndefined();
  expect((await files.readIdentity())?.key.toString()).toBe("key\n");
});

test("no link is followed, nothing but files is read, and no more than allowed", async () => {
  const root = join(home.root, "tree");
  mkdirSync(join(root, "redis"), { recursive: true });
  symlinkSync("/etc/passwd", join(root, "redis/password"));
  symlinkSync("/etc", join(root, "tls"));
  writeFileSync(join(root, "large"), "x".repeat(11));
  await expect(readPrivate(root, "redis/password", 9999)).rejects.toThrow("a link");
  await expect(readPrivate(root, "tls/passwd", 9999)).rejects.toMatchObject({
    code: "E_VAULT_FILE",
  });
  await expect(readPrivate(root, "redis", 10)).rejects.toThrow("something else seen");
  await expect(readPrivate(root, "large", 10)).rejects.toThrow("11 bytes seen");
  expect(await readPrivate(root, "missing/file", 10)).toBeUndefined();
  await expect(verifyPrivate(root, signal)).rejects.toThrow("link");
});

test("more entries, depth or bytes than allowed are refused", async () => {
  const root = join(home.root, "tree");
  mkdirSync(join(root, "a/b/c"), { recursive: true });
  writeFileSync(join(root, "a/one"), "xxxx");
  writeFileSync(join(root, MANIFEST_PATH), "");
  const limits = { entries: 10, depth: 10, sizeBytes: 100 };
  const verify = (over: object) => verifyPrivate(root, signal, { ...limits, ...over });
  await expect(verify({})).rejects.toThrow("a/one does not belong there");
  await expect(verify({ entries: 3 })).rejects.toThrow("more than 3 entries");
  await expect(verify({ depth: 2 })).rejects.toThrow("deeper than 2");
  await expect(verify({ sizeBytes: 3 })).rejects.toThrow("4 bytes seen");
});
