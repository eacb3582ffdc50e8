import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileDescriptors } from "../../src/sys/file-descriptors.ts";
import { FileProcess } from "../../src/sys/file-process.ts";
import {
  type FileEntry,
  IDLE_DESCRIPTOR_MS,
  MAX_DESCRIPTORS,
} from "../../src/sys/file-requests.ts";

const missing = process.getuid?.() === 0 ? undefined : "needs root for mounts and owners";
if (missing !== undefined) console.log(`files is skipped: ${missing}`);

/** One helper for all tests: starting it takes most of the time. */
const files = new FileProcess();
afterAll(() => files.stop());

describe.skipIf(missing !== undefined)("files", () => {
  let home: string;
  const mounted: string[] = [];
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "node0-files-"));
  });
  afterEach(() => {
    for (const path of mounted.splice(0).reverse()) execFileSync("umount", ["-l", path]);
    rmSync(home, { recursive: true });
  });

  const at = (name: string): string => join(home, name);
  const shell = (script: string): string =>
    execFileSync("sh", ["-ec", script, "sh", home], { encoding: "utf8" });
  const open = async (path: string, mode: string, perm = 0o644): Promise<string> =>
    String(await files.run({ do: "open", path, mode, perm }));
  const read = async (fd: string): Promise<string> =>
    Buffer.from(String(await files.run({ do: "read", fd })), "base64").toString("latin1");
  const write = (fd: string, text: string): Promise<unknown> =>
    files.run({ do: "write", fd, block: Buffer.from(text, "latin1").toString("base64") });
  const close = (fd: string): Promise<unknown> => files.run({ do: "close", fd });
  const mountTmpfs = (name: string, size: string): string => {
    mkdirSync(at(name));
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "none", at(name)]);
    mounted.push(at(name));
    return at(name);
  };

  test("are written block by block and read again, whatever bytes they hold", async () => {
    const bytes = Buffer.from(Array.from({ length: 1_300_000 }, (_, n) => (n * 7919) >> 3));
    const fd = await open(at("a"), "w");
    for (let from = 0; from < bytes.length; from += 512 * 1024) {
      // As the Python client sends it: a line break after each 76 characters.
      const text = bytes.subarray(from, from + 512 * 1024).toString("base64");
      await files.run({ do: "write", fd, block: text.replaceAll(/.{76}/g, "$&\r\n") });
    }
    await close(fd);
    expect(readFileSync(at("a")).equals(bytes)).toBe(true);
    const back = await open(at("a"), "r");
    const blocks: Buffer[] = [];
    for (;;) {
      const text = String(await files.run({ do: "read", fd: back }));
      if (text === "") break;
      blocks.push(Buffer.from(text, "base64"));
    }
    await close(back);
    expect(blocks.map((block) => block.length)).toEqual([524_288, 524_288, 251_424]);
    expect(Buffer.concat(blocks).equals(bytes)).toBe(true);
  });

  test.each([
    ["w", "old text", "new", "new"],
    ["w+", "old text", "new", "new"],
    ["a", "old", "+new", "old+new"],
    ["a+", "old", "+new", "old+new"],
    ["r+", "old text", "new", "new text"],
    ["w", null, "new", "new"],
    ["a", null, "new", "new"],
    ["x", null, "new", "new"],
    ["x+", null, "new", "new"],
  ])("mode %s turns %j with %j into %j", async (mode, before, text, after) => {
    if (before !== null) writeFileSync(at("f"), before);
    const fd = await open(at("f"), mode, 0o640);
    await write(fd, text);
    await close(fd);
    expect(readFileSync(at("f"), "utf8")).toBe(after);
    if (before === null) expect(statSync(at("f")).mode & 0o777).toBe(0o640);
  });

  test.each(["", "rw", "rb", "wx", "R", "++", "r+ ", "w\n"])("mode %j is refused", async (mode) => {
    await expect(open(at("f"), mode)).rejects.toThrow("expected one of r, w, a, x");
    expect(existsSync(at("f"))).toBe(false);
  });

  test("are refused in the wrong direction, and where they must or must not exist", async () => {
    writeFileSync(at("f"), "text");
    const forReading = await open(at("f"), "r");
    const forWriting = await open(at("f"), "a");
    await expect(write(forReading, "x")).rejects.toThrow("not open for writing");
    await expect(read(forWriting)).rejects.toThrow("not open for reading");
    await close(forReading);
    await close(forWriting);
    await expect(open(at("f"), "x")).rejects.toThrow("EEXIST");
    await expect(open(at("none"), "r")).rejects.toThrow("ENOENT");
    await expect(open(at("none/f"), "w")).rejects.toThrow("ENOENT");
  });

  test.each(["!", "QQ", "QQ=", "QQ=Q", "Q===", "QQ==QQ==", "QQ =", "QQ\u0000="])(
    "block %j is refused and nothing is written",
    async (block) => {
      const fd = await open(at("f"), "w");
      await expect(files.run({ do: "write", fd, block })).rejects.toThrow("expected base64");
      await close(fd);
      expect(statSync(at("f")).size).toBe(0);
    },
  );

  test("a descriptor is unknown after it was closed, and closing it again is fine", async () => {
    writeFileSync(at("f"), "text");
    const fd = await open(at("f"), "r");
    expect(fd).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    await close(fd);
    await close(fd);
    await close("nonsense");
    await expect(read(fd)).rejects.toThrow("descriptor");
    await expect(write("", "x")).rejects.toThrow("descriptor");
  });

  test("a descriptor nobody uses is closed, one that is used is not", async () => {
    expect(IDLE_DESCRIPTOR_MS).toBe(300_000);
    writeFileSync(at("f"), "text");
    let closed = 0;
    const table = new FileDescriptors(() => {
      closed += 1;
    }, 40);
    const fd = await table.open(at("f"), "r", 0);
    await table.read(fd);
    await expect.poll(() => closed).toBe(1);
    await expect(table.read(fd)).rejects.toThrow("descriptor");
    expect(table.count).toBe(0);
  });

  test(`more than ${MAX_DESCRIPTORS} descriptors are refused until one is closed`, async () => {
    writeFileSync(at("f"), "text");
    const table = new FileDescriptors();
    const open = (): Promise<string> => table.open(at("f"), "r", 0);
    const all = await Promise.all(Array.from({ length: MAX_DESCRIPTORS }, open));
    await expect(open()).rejects.toThrow(`${MAX_DESCRIPTORS} files are open`);
    await table.close(all[0] ?? "");
    all.push(await open());
    await Promise.all(all.map((fd) => table.close(fd)));
    expect(table.count).toBe(0);
  });

  test("a full disk is told, and so is a device that is always full", async () => {
    const fd = await open(join(mountTmpfs("small", "64k"), "f"), "w");
    await expect(write(fd, "x".repeat(200_000))).rejects.toThrow("ENOSPC");
    await close(fd);
    const full = await open("/dev/full", "w");
    await expect(write(full, "x")).rejects.toThrow("ENOSPC");
    await close(full);
  });

  test("what is no file is refused at once, harmless devices are read in blocks", async () => {
    shell('mkfifo "$1/fifo"; mkdir "$1/dir"; mknod "$1/block" b 7 200; mknod "$1/watch" c 10 130');
    const server = createServer().listen(at("socket"));
    for (const mode of ["r", "w", "a", "r+"]) {
      await expect(open(at("fifo"), mode)).rejects.toThrow("a FIFO seen");
      await expect(open(at("dir"), mode)).rejects.toThrow("a directory seen");
      await expect(open(at("block"), mode)).rejects.toThrow("a block device seen");
      await expect(open(at("watch"), mode)).rejects.toThrow("a character device seen");
      await expect(open(at("socket"), mode)).rejects.toThrow("a socket seen");
      await expect(open("/proc/self/fd/3", mode)).rejects.toThrow("Cannot open");
    }
    server.close();
    const zero = await open("/dev/zero", "r");
    expect(await read(zero)).toBe("\0".repeat(512 * 1024));
    await close(zero);
  });

  test("directories are made with their parents and listed by name", async () => {
    await files.run({ do: "mkdir", path: at("b/c/d") });
    await files.run({ do: "mkdir", path: at("b/c/d") });
    expect(shell('stat -c "%a %F" "$1/b/c"').trim()).toBe("755 directory");
    writeFileSync(at("b/z"), "four");
    chmodSync(at("b/z"), 0o4751);
    symlinkSync("c", at("b/link"));
    shell('touch "$1/b/$(printf "\\377")" "$1/b/ä" "$1/b/Z"');
    const rows = (await files.run({ do: "list", path: at("b") })) as FileEntry[];
    expect(rows.map(({ name }) => name)).toEqual(["Z", "c", "link", "z", "ä", "\ufffd"]);
    expect(rows[1]).toMatchObject({ mode: 0o755, is_dir: true });
    expect(rows[2]).toMatchObject({ is_dir: false });
    expect(rows[3]).toEqual({ name: "z", size: 4, mode: 0o751, is_dir: false });
    await expect(files.run({ do: "mkdir", path: at("b/z/y") })).rejects.toThrow("ENOTDIR");
    await expect(files.run({ do: "mkdir", path: at("b/z") })).rejects.toThrow("EEXIST");
    await expect(files.run({ do: "list", path: at("b/z") })).rejects.toThrow("ENOTDIR");
    expect(await files.run({ do: "list", path: at("b/c/d") })).toEqual([]);
  });

  test("a directory with 100 000 entries is listed in order, one with more is refused", async () => {
    const big = mountTmpfs("memory", "64m");
    shell(`mkdir "${big}/big"; cd "${big}/big"; seq -w 100000 | xargs touch`);
    const rows = (await files.run({ do: "list", path: at("memory/big") })) as FileEntry[];
    expect(rows).toHaveLength(100_000);
    expect(rows[0]?.name).toBe("000001");
    expect(
      rows.every((row, index) => index === 0 || row.name > (rows[index - 1]?.name ?? "")),
    ).toBe(true);
    writeFileSync(at("memory/big/more"), "");
    await expect(files.run({ do: "list", path: at("memory/big") })).rejects.toThrow(
      "more than 100000 entries",
    );
  });

  test("a tree with thousands of entries is removed whole", async () => {
    shell(`mkdir "$1/wide"; cd "$1/wide"; for d in a b c; do mkdir $d; done
      seq 1000 | sed 's,^,a/,' | xargs touch; seq 100 | sed 's,^,b/,' | xargs mkdir`);
    await files.run({ do: "remove", path: at("wide") });
    expect(existsSync(at("wide"))).toBe(false);
  });

  test("exists follows links, and says no only when it is certain", async () => {
    symlinkSync("nowhere", at("dangling"));
    symlinkSync("loop", at("loop"));
    writeFileSync(at("f"), "");
    const exists = (path: string): Promise<unknown> => files.run({ do: "exists", path });
    expect(await exists(at("f"))).toBe(true);
    expect(await exists(at("none"))).toBe(false);
    expect(await exists(at("dangling"))).toBe(false);
    expect(await exists(at("loop"))).toBe(true);
    expect(await exists(home.slice(1))).toBe(true);
  });

  test("are moved within a file system and not into another", async () => {
    writeFileSync(at("f"), "text");
    await files.run({ do: "move", path: at("f"), destination: at("g") });
    expect(readFileSync(at("g"), "utf8")).toBe("text");
    const other = join(mountTmpfs("other", "64k"), "g");
    const move = (path: string, destination: string): Promise<unknown> =>
      files.run({ do: "move", path, destination });
    await expect(move(at("g"), other)).rejects.toThrow("EXDEV");
    await expect(move(at("f"), at("h"))).rejects.toThrow("ENOENT");
    await expect(move(at("g"), "")).rejects.toThrow("empty path");
  });

  test("a tree is removed with its links, and what they point to stays", async () => {
    shell(`cd "$1"; mkdir -p keep tree/a/b/c; echo x >keep/f; ln -s ../keep tree/link
      ln -s "$1/keep" tree/a/far; ln -s / tree/a/root; mkfifo tree/a/fifo; chmod 000 tree/a/b`);
    await files.run({ do: "remove", path: at("tree/link/") });
    expect(existsSync(at("keep/f"))).toBe(true);
    await files.run({ do: "remove", path: at("tree") });
    expect(existsSync(at("tree"))).toBe(false);
    expect(existsSync(at("keep/f"))).toBe(true);
    await files.run({ do: "remove", path: at("tree") });
    await files.run({ do: "remove", path: at("tree/never/was") });
  });

  test("nothing of a tree is removed when something is mounted in it", async () => {
    mkdirSync(at("tree/a"), { recursive: true });
    writeFileSync(at("tree/f"), "text");
    writeFileSync(join(mountTmpfs("tree/a/m", "64k"), "precious"), "text");
    mkdirSync(at("source"));
    writeFileSync(at("source/precious"), "text");
    mkdirSync(at("bound"));
    execFileSync("mount", ["--bind", at("source"), at("bound")]);
    mounted.push(at("bound"));
    for (const path of ["tree", "tree/a", "tree/a/m", "bound"]) {
      await expect(files.run({ do: "remove", path: at(path) })).rejects.toThrow("mounted on");
    }
    expect(existsSync(at("tree/f"))).toBe(true);
    expect(existsSync(at("tree/a/m/precious"))).toBe(true);
    expect(existsSync(at("source/precious"))).toBe(true);
  });

  test("a directory that is swapped for a link meanwhile leads nowhere", async () => {
    shell('cd "$1"; mkdir keep; cd keep; seq 200 | xargs touch');
    const script = `cd "$1"; while :; do mkdir -p tree/d; touch tree/d/1; rm -rf tree/d
      ln -s ../keep tree/d; rm -f tree/d; done`;
    mkdirSync(at("tree"));
    const swapper = spawn("sh", ["-c", script, "sh", home], { stdio: "ignore" });
    for (let round = 0; round < 60; round += 1) {
      await files.run({ do: "remove", path: at("tree/d") }).catch(() => undefined);
      await files.run({ do: "chmod", path: at("tree"), mode: 0o711, recursive: true });
    }
    const ended = new Promise((resolve) => swapper.once("exit", resolve));
    swapper.kill("SIGKILL");
    await ended;
    expect(shell('ls "$1/keep" | wc -l').trim()).toBe("200");
    expect(shell('find "$1/keep" -type f -perm 0711 | wc -l').trim()).toBe("0");
  });

  test.each([
    ["the root", "/"],
    ["an empty path", ""],
    ["the root by dots", "/tmp/../.."],
    ["a system directory", "/etc"],
    ["a relative one", "usr"],
    ["with a slash at its end", "/usr/"],
    ["two levels deep", "/usr/lib"],
    ["the state of the agent", "/run/node0"],
    ["by way of a link", "LINK/etc"],
    ["by dots behind a link", "LINK/./usr/../etc"],
    ["a zero byte", "/tmp/a\0b"],
  ])("%s is neither removed nor moved", async (_what, path) => {
    symlinkSync("/", at("root"));
    const real = path.replace("LINK", at("root"));
    await expect(files.run({ do: "remove", path: real })).rejects.toThrow(/Cannot remove/);
    await expect(files.run({ do: "move", path: real, destination: at("stolen") })).rejects.toThrow(
      /Cannot move/,
    );
    expect(existsSync("/etc/passwd")).toBe(true);
  });

  test("mode and owner of one file and of trees, without following links", async () => {
    shell(`cd "$1"; mkdir -p tree/d keep; touch tree/d/f keep/f; ln -s ../keep tree/l
      ln -s ../../keep/f tree/d/l; chmod 600 keep/f; chmod 700 keep; chown -R 0:0 .`);
    const other = mountTmpfs("tree/m", "64k");
    chmodSync(other, 0o700);
    const stat = (name: string): string =>
      execFileSync("stat", ["-c", "%a %U %G", at(name)], { encoding: "utf8" }).trim();
    const change = { path: at("tree"), recursive: true } as const;
    await files.run({ do: "chmod", ...change, mode: 0o7751 });
    await files.run({ do: "chown", ...change, user: "nobody", group: "daemon" });
    expect(stat("tree/d/f")).toBe("751 nobody daemon");
    expect(stat("tree/d")).toBe("751 nobody daemon");
    expect(stat("tree/d/l")).toBe("777 nobody daemon");
    for (const name of ["keep", "keep/f", "tree/m"])
      expect(stat(name)).toMatch(/^[67]00 root root/);
    const once = { path: at("tree/d/l"), recursive: false } as const;
    await files.run({ do: "chmod", ...once, mode: 0o444 });
    await files.run({ do: "chown", ...once, user: "daemon", group: "nogroup" });
    expect(stat("keep/f")).toBe("444 daemon nogroup");
    await files.run({ do: "chmod", path: at("none"), mode: 0o444, recursive: true });
    symlinkSync("/", at("root"));
    for (const path of ["/", "", at("root"), "/tmp/.."]) {
      const whole = files.run({ do: "chmod", path, mode: 0, recursive: true });
      await expect(whole).rejects.toThrow("Cannot change the mode of");
    }
    const none = { path: at("none"), recursive: false } as const;
    await expect(files.run({ do: "chmod", ...none, mode: 1 })).rejects.toThrow("ENOENT");
  });

  test.each([
    ["", "root", "user"],
    ["nobody:x", "root", "user"],
    ["0", "root", "user"],
    ["root", "", "group"],
    ["root", "no such", "group"],
  ])("owner %j and group %j are refused", async (user, group, what) => {
    const request = { do: "chown", path: home, user, group, recursive: true } as const;
    await expect(files.run(request)).rejects.toThrow(`Cannot find ${what}`);
  });

  test("a file system that does not answer holds neither the agent nor the next request", async () => {
    mkdirSync(at("dead"));
    // A FUSE mount nobody serves: every request to it waits for ever.
    const device = openSync("/dev/fuse", "r+");
    const options = "fd=3,rootmode=40000,user_id=0,group_id=0";
    const done = spawnSync("mount", ["-i", "-t", "fuse", "-o", options, "none", at("dead")], {
      stdio: ["ignore", "ignore", "inherit", device],
    });
    expect(done.status).toBe(0);
    mounted.push(at("dead"));
    const helper = new FileProcess({ limitMs: 400 });
    try {
      writeFileSync(at("alive"), "text");
      expect(await helper.run({ do: "exists", path: at("alive") })).toBe(true);
      const first = helper.pid;
      const dead = at("dead/f");
      const requests = Array.from({ length: 5 }, () => helper.run({ do: "exists", path: dead }));
      const outcomes = Promise.allSettled(requests);
      expect(await helper.run({ do: "exists", path: at("alive") })).toBe(true);
      for (const outcome of await outcomes) {
        expect(outcome).toMatchObject({ reason: { message: /has not answered for 0.4 s/ } });
      }
      // The directory it is mounted in is listed all the same.
      const patient = new FileProcess();
      const rows = (await patient.run({ do: "list", path: home })) as FileEntry[];
      patient.stop();
      expect(rows[1]).toEqual({ name: "dead", size: 0, mode: 0, is_dir: true });
      // The others go on beside them.
      expect(await helper.run({ do: "exists", path: at("alive") })).toBe(true);
      expect(helper.pid).toBe(first);
      // All places are taken: another helper goes on, and the first one is gone.
      const more = Array.from({ length: 3 }, () => helper.run({ do: "list", path: dead }));
      await Promise.allSettled(more);
      expect(await helper.run({ do: "exists", path: at("alive") })).toBe(true);
      expect(helper.pid).not.toBe(first);
      await expect.poll(() => existsSync(`/proc/${first}`)).toBe(false);
    } finally {
      helper.stop();
      closeSync(device);
    }
  });

  test("the helper ends when nobody needs it, and a killed one is replaced", async () => {
    writeFileSync(at("f"), "text");
    const helper = new FileProcess({ idleMs: 150 });
    const fd = String(await helper.run({ do: "open", path: at("f"), mode: "r", perm: 0 }));
    const { pid } = helper;
    process.kill(pid ?? 0, "SIGKILL");
    await expect.poll(() => helper.pid).toBe(undefined);
    await expect(helper.run({ do: "read", fd })).rejects.toThrow("descriptor");
    const second = helper.pid;
    expect(second).not.toBe(pid);
    await expect.poll(() => existsSync(`/proc/${second}`)).toBe(false);
  });
});
