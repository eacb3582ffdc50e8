import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
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
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { PrivateContext } from "../../src/controller/private/context.ts";
import { type CreateOptions, createPrivate } from "../../src/controller/private/create.ts";
import { editPrivate } from "../../src/controller/private/edit.ts";
import { decryptCopy } from "../../src/controller/private/open-store.ts";
import { rotatePrivate } from "../../src/controller/private/rotate.ts";
import { uploadPrivate } from "../../src/controller/private/upload.ts";
import { verifyPrivate } from "../../src/controller/private/verify.ts";
import { openWorkDirectory } from "../../src/controller/private/work-directory.ts";
import { parseUstar, type UstarEntry } from "../../src/vault/ustar.ts";
import { openController, type RecordingController } from "./support/private-controller.ts";

const MAC = "52:54:00:12:34:56";

let home = "";
let out = "";
let controller: RecordingController;
let said: string[] = [];
let context: PrivateContext;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "node0-private-test-"));
  out = join(home, "machine");
  controller = openController(home);
  said = [];
  context = { controller, say: (line) => void said.push(line) };
});

afterEach(() => {
  expect(leftovers()).toEqual([]);
  rmSync(home, { recursive: true, force: true });
});

/** Mounts and work directories of this process. */
function leftovers(): string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const mine = `node0-private-${process.pid}-`;
  return [
    ...mounts.filter((line) => line.includes(mine)),
    ...readdirSync("/run").filter((name) => name.startsWith(mine)),
  ];
}

const options = (change: Partial<CreateOptions> = {}): CreateOptions => ({
  macs: [MAC],
  directory: out,
  given: { authorizedKeys: [] },
  mustUpload: true,
  mustApprove: false,
  ...change,
});

const stored = (name: string): string => readFileSync(join(out, name), "utf8");

/** Opens what was uploaded with the key that was uploaded, as a machine does. */
async function openUploaded(): Promise<Map<string, string>> {
  const { archive, key } = controller.uploaded ?? { archive: Buffer.alloc(0), key: "" };
  await using work = await openWorkDirectory();
  return texts(await decryptCopy(parseUstar(archive), { key, work, name: "uploaded" }));
}

const texts = (entries: readonly UstarEntry[]): Map<string, string> =>
  new Map(
    entries.flatMap((entry) =>
      entry.kind === "file" ? [[entry.path, Buffer.from(entry.content).toString()]] : [],
    ),
  );

const CIPHERTEXT = (): string[] =>
  readdirSync(join(out, "ciphertext"), { recursive: true, encoding: "utf8" }).filter((path) =>
    statSync(join(out, "ciphertext", path)).isFile(),
  );

test("a machine gets all it needs, under a key that opens it", async () => {
  await createPrivate(options({ mustApprove: true }), context);

  expect(controller.asked).toEqual([
    `register ${MAC}`,
    "issue node1",
    "upload node1",
    "approve node1",
  ]);
  const files = await openUploaded();
  expect([...files.keys()].sort()).toEqual([
    "manifest.sha256",
    "redis/password",
    "ssh/authorized_keys",
    "ssh/ssh_host_ed25519_key",
    "ssh/ssh_host_ed25519_key.pub",
    "tls/ca.crt",
    "tls/client.crt",
    "tls/client.key",
  ]);
  expect(files.get("redis/password")).toMatch(/^[\w-]{43}\n$/);
  expect(files.get("redis/password")).toBe(stored("access/redis-password"));
  expect(files.get("ssh/authorized_keys")).toBe(stored("access/id_ed25519.pub"));
  expect(stored("access/known_hosts")).toBe(`node1 ${files.get("ssh/ssh_host_ed25519_key.pub")}`);
  const certificate = new X509Certificate(files.get("tls/client.crt") ?? "");
  expect(certificate.subject).toBe("CN=node1");
  expect(controller.uploaded?.key).toBe(stored("key").trim());
  expect(await verifyPrivate({ directory: out }, context)).toEqual([]);
});

test("everything in the directory is for its owner alone, and no secret is in plain in it", async () => {
  await createPrivate(options(), context);

  const all = readdirSync(out, { recursive: true, encoding: "utf8" });
  const open = all.filter((path) => (statSync(join(out, path)).mode & 0o077) !== 0);
  expect(open).toEqual([]);
  const password = stored("access/redis-password").trim();
  const holders = all.filter((path) => {
    const place = join(out, path);
    if (!statSync(place).isFile()) return false;
    const text = readFileSync(place, "latin1");
    return text.includes(password) || text.includes("PRIVATE KEY");
  });
  expect(holders.sort()).toEqual(["access/id_ed25519", "access/redis-password"]);
  expect(said.join("\n")).not.toContain(password);
  expect(said.join("\n")).not.toContain(stored("key").trim());
});

test("given files take the place of made ones", async () => {
  const at = (name: string): string => join(home, name);
  for (const name of ["host", "operator"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at(name)]);
  }
  writeFileSync(at("password"), "correct-horse\nsecond line\n");
  writeFileSync(at("net.toml"), "[network]\nauto = true\n");
  mkdirSync(at("zerotier"));
  writeFileSync(join(at("zerotier"), "identity.secret"), "0123456789:0:ab:cd");
  mkdirSync(join(at("extra"), "ssh"), { recursive: true });
  writeFileSync(join(at("extra"), "ssh/sshd_config"), "# mine\n");
  const given = {
    authorizedKeys: [at("operator.pub")],
    sshHostKey: at("host"),
    redisPasswordFile: at("password"),
    netToml: at("net.toml"),
    zerotier: at("zerotier"),
    files: at("extra"),
  };

  await createPrivate(options({ given }), context);

  const files = await openUploaded();
  expect(files.get("ssh/ssh_host_ed25519_key")).toBe(readFileSync(at("host"), "utf8"));
  expect(files.get("ssh/authorized_keys")).toBe(readFileSync(at("operator.pub"), "utf8"));
  expect(files.get("redis/password")).toBe("correct-horse\n");
  expect(files.get("net.toml")).toBe("[network]\nauto = true\n");
  expect(files.get("zerotier/identity.secret")).toBe("0123456789:0:ab:cd");
  expect(files.get("ssh/sshd_config")).toBe("# mine\n");
  expect(existsSync(join(out, "access/id_ed25519"))).toBe(false);
  expect(await verifyPrivate({ directory: out }, context)).toEqual([]);
});

test.each([
  ["net.toml", "netToml", "[network]\nauto = 7\n", /net\.toml/],
  [
    "controllers in net.toml",
    "netToml",
    '[[controller]]\nurl = "https://a"\nca = "/ca"\n',
    /those of the image stay/,
  ],
  ["an empty password", "redisPasswordFile", "\n", /redis\/password/],
  ["a host key that is none", "sshHostKey", "no key\n", /expected an ed25519 key/],
  ["authorized keys that are none", "authorizedKeys", "# one\nssh-ed25519 AAAA\n", /given:2/],
  ["authorized keys without any", "authorizedKeys", "\n", /no key seen/],
  ["a zerotier directory without identity", "zerotier", undefined, /no identity.secret seen/],
  ["a file over a made one", "files", undefined, /already/],
  ["a file over the certificate to come", "files", "tls/client.key", /made later/],
  ["a name machines do not take", "files", "\u00e9t\u00e9", /is not an ASCII name/],
])("%s is refused, and nothing is left", async (_what, option, text, message) => {
  const path = join(home, "given");
  if (text === undefined || option === "files") {
    const name = text ?? "redis/password";
    mkdirSync(join(path, dirname(name)), { recursive: true });
    writeFileSync(join(path, name), "x");
  } else writeFileSync(path, text);
  const value = option === "authorizedKeys" ? [path] : path;
  const given = { authorizedKeys: [], [option]: value };

  await expect(createPrivate(options({ given }), context)).rejects.toThrow(message);

  expect(existsSync(out)).toBe(false);
  expect(controller.asked).toEqual([]);
});

test("a directory that cannot be made is told before the controller is asked", async () => {
  const directory = join(home, "not", "there");
  await expect(createPrivate(options({ directory }), context)).rejects.toThrow(
    `${join(home, "not")} is not a directory`,
  );
  expect(controller.asked).toEqual([]);
});

test("long names are fine, and directories nested too deeply are told", async () => {
  const extra = join(home, "extra");
  const long = `${"d".repeat(90)}/${"f".repeat(90)}`;
  mkdirSync(join(extra, dirname(long)), { recursive: true });
  writeFileSync(join(extra, long), "text");
  const given = { authorizedKeys: [], files: extra };
  await createPrivate(options({ given }), context);
  expect((await openUploaded()).get(long)).toBe("text");

  mkdirSync(join(extra, ...Array(12).fill("deep")), { recursive: true });
  const directory = join(home, "other");
  await expect(createPrivate(options({ given, directory }), context)).rejects.toThrow(
    "use fewer directories",
  );
  expect(existsSync(directory)).toBe(false);
});

test("a host key with a passphrase or of another type is refused", async () => {
  const path = join(home, "host");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", path]);
  const given = { authorizedKeys: [], sshHostKey: path };
  await expect(createPrivate(options({ given }), context)).rejects.toThrow("without passphrase");

  const other = { authorizedKeys: [], sshHostKey: join(home, "rsa") };
  execFileSync("ssh-keygen", ["-q", "-t", "ecdsa", "-N", "", "-f", other.sshHostKey]);
  await expect(createPrivate(options({ given: other }), context)).rejects.toThrow(
    "ecdsa-sha2-nistp256 seen",
  );
});

test("a directory with something in it is not touched", async () => {
  mkdirSync(out);
  writeFileSync(join(out, "mine"), "");
  await expect(createPrivate(options(), context)).rejects.toThrow("1 entries seen");
  expect(readdirSync(out)).toEqual(["mine"]);
  expect(controller.asked).toEqual([]);
});

test("a known machine is found by its MAC; a foreign MAC is refused", async () => {
  await controller.registerNode({ macs: [MAC, "52:54:00:00:00:01"] });
  await createPrivate(options({ mustUpload: false }), context);
  expect(JSON.parse(stored("node.json"))).toMatchObject({ node: "node1", revision: 0 });
  expect(controller.uploaded).toBeUndefined();

  const macs = [MAC, "52:54:00:00:00:02"];
  const directory = join(home, "other");
  await expect(createPrivate(options({ macs, directory }), context)).rejects.toThrow(
    "node1 is known without it",
  );
});

test("work that is interrupted leaves nothing", async () => {
  const interruption = new AbortController();
  const { issueCertificate } = controller;
  controller.issueCertificate = async (id, csr) => {
    const issued = await issueCertificate(id, csr);
    interruption.abort();
    return issued;
  };
  const signal = interruption.signal;
  await expect(createPrivate(options(), { ...context, signal })).rejects.toThrow("aborted");
  expect(readdirSync(home).sort()).toEqual(["authority"]);
});

test("an upload that fails can be done again without another key", async () => {
  controller.failure = new Error("no answer");
  await expect(createPrivate(options(), context)).rejects.toThrow("no answer");
  const key = stored("key");
  expect(JSON.parse(stored("node.json")).revision).toBe(0);

  controller.failure = undefined;
  await uploadPrivate(out, context);
  expect(JSON.parse(stored("node.json")).revision).toBe(1);
  expect(stored("key")).toBe(key);
  expect(await verifyPrivate({ directory: out }, context)).toEqual([]);
});

test("edit changes files under the same key and uploads a new revision", async () => {
  await createPrivate(options(), context);
  const key = stored("key");
  said = [];
  const command = [
    "sh",
    "-c",
    "printf 'fresh-word\\n' > redis/password; echo x > notes; rm -f absent",
  ];

  await editPrivate({ directory: out, command, mustUpload: true }, context);

  expect(said.slice(0, 2)).toEqual(["changed redis/password", "added notes"]);
  const files = await openUploaded();
  expect(files.get("redis/password")).toBe("fresh-word\n");
  expect(files.get("notes")).toBe("x\n");
  expect(stored("access/redis-password")).toBe("fresh-word\n");
  expect(stored("key")).toBe(key);
  expect(JSON.parse(stored("node.json")).revision).toBe(2);
  expect(await verifyPrivate({ directory: out }, context)).toEqual([]);
});

test.each([
  ["a command that fails", "echo x > notes; exit 3", "exit code 3"],
  ["a command that breaks the configuration", "rm tls/client.key", "tls/client.key is missing"],
  ["a link among the files", "ln -s /etc/hostname link", "neither file nor directory"],
])("%s changes nothing", async (_what, script, message) => {
  await createPrivate(options(), context);
  const before = stored("ciphertext.sha256");
  const command = ["sh", "-c", script];
  await expect(editPrivate({ directory: out, command, mustUpload: true }, context)).rejects.toThrow(
    message,
  );
  expect(stored("ciphertext.sha256")).toBe(before);
  expect(JSON.parse(stored("node.json")).revision).toBe(1);
});

test("edit without a change uploads nothing", async () => {
  await createPrivate(options(), context);
  await editPrivate({ directory: out, command: ["true"], mustUpload: true }, context);
  expect(said.at(-1)).toBe("nothing was changed");
  expect(JSON.parse(stored("node.json")).revision).toBe(1);
});

test("rotate gives a new key and certificate, then revokes the former one", async () => {
  await createPrivate(options(), context);
  const [key, before] = [stored("key"), await openUploaded()];
  const serial = new X509Certificate(before.get("tls/client.crt") ?? "").serialNumber.toLowerCase();

  await rotatePrivate(out, context);

  const after = await openUploaded();
  expect(stored("key")).not.toBe(key);
  expect(after.get("tls/client.key")).not.toBe(before.get("tls/client.key"));
  expect(after.get("ssh/ssh_host_ed25519_key")).toBe(before.get("ssh/ssh_host_ed25519_key"));
  expect(after.get("redis/password")).toBe(before.get("redis/password"));
  expect(controller.asked.slice(-3)).toEqual([
    "issue node1",
    "upload node1",
    `revoke node1 ${serial}`,
  ]);
  expect(JSON.parse(stored("node.json"))).toMatchObject({ revision: 2, retiredSerials: [] });
  expect(await verifyPrivate({ directory: out }, context)).toEqual([]);
});

test("a former certificate is revoked only once its successor is at the controller", async () => {
  await createPrivate(options(), context);
  controller.failure = new Error("no answer");
  await expect(rotatePrivate(out, context)).rejects.toThrow("no answer");
  expect(controller.asked.filter((line) => line.startsWith("revoke"))).toEqual([]);

  controller.failure = undefined;
  await uploadPrivate(out, context);
  expect(controller.asked.at(-1)).toMatch(/^revoke node1 [0-9a-f]+$/);
});

test("a flipped bit in any file of the ciphertext is found, and told by its name", async () => {
  await createPrivate(options(), context);
  const paths = CIPHERTEXT();
  expect(paths.length).toBeGreaterThan(10);
  for (const path of paths) {
    const place = join(out, "ciphertext", path);
    const bytes = readFileSync(place);
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(place, bytes);
    const problems = await verifyPrivate({ directory: out }, context);
    expect(problems, path).toContain(`ciphertext/${path} is damaged`);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(place, bytes);
  }
  expect(await verifyPrivate({ directory: out }, context)).toEqual([]);
});

test("a flipped bit is found in the plain files too, where no digest of the ciphertext is at hand", async () => {
  await createPrivate(options(), context);
  const { archive, key } = controller.uploaded ?? { archive: Buffer.alloc(0), key: "" };
  const entries = parseUstar(archive);
  await using work = await openWorkDirectory();
  for (const [index, entry] of entries.entries()) {
    // The text of gocryptfs.conf has parts that say nothing, like the name of its maker.
    if (entry.kind === "directory" || entry.path === "gocryptfs.conf") continue;
    const content = Buffer.from(entry.content);
    content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1;
    const damaged = entries.with(index, { ...entry, content });
    await expect(
      decryptCopy(damaged, { key, work, name: `damaged-${index}` }),
      entry.path,
    ).rejects.toMatchObject({ fields: { reason: "ciphertext" } });
  }
});

test("a file that is missing, cut or put in the place of another is found", async () => {
  await createPrivate(options(), context);
  const [first = "", second = ""] = CIPHERTEXT().filter((path) => !path.startsWith("gocryptfs"));
  const place = join(out, "ciphertext", first);
  const bytes = readFileSync(place);

  writeFileSync(place, "");
  expect((await verifyPrivate({ directory: out }, context)).join()).toContain("is damaged");
  writeFileSync(place, readFileSync(join(out, "ciphertext", second)));
  expect((await verifyPrivate({ directory: out }, context)).join()).toContain("is damaged");
  rmSync(place);
  expect((await verifyPrivate({ directory: out }, context)).join()).toContain("is missing");
  writeFileSync(place, bytes);
});

test("a wrong key is told from damage", async () => {
  await createPrivate(options(), context);
  writeFileSync(join(out, "key"), `${Buffer.alloc(32, 7).toString("base64")}\n`);
  expect((await verifyPrivate({ directory: out }, context)).join()).toContain(
    "the key does not fit",
  );
  writeFileSync(join(out, "key"), "short\n");
  await expect(verifyPrivate({ directory: out }, context)).rejects.toThrow("32 bytes in base64");
});

test("a certificate that is about to be of no use is found", async () => {
  await createPrivate(options(), context);
  const nowMs = Date.now() + 31 * 24 * 3_600_000;
  const problems = await verifyPrivate({ directory: out }, { ...context, nowMs });
  expect(problems.join()).toContain("the certificate expired on");
});

test("verify compares with what the controller gives", async () => {
  await createPrivate(options(), context);
  const { archive } = controller.uploaded ?? { archive: Buffer.alloc(0) };
  const ask = async (found: { archive: Buffer; revision: number } | undefined) =>
    await verifyPrivate({ directory: out, fetch: async () => found }, context);

  expect(await ask({ archive, revision: 1 })).toEqual([]);
  expect(await ask(undefined)).toEqual([`the controller has no ciphertext for ${MAC}`]);
  expect(await ask({ archive, revision: 4 })).toEqual([
    "the controller has revision 4, the directory 1",
  ]);
  const damaged = Buffer.from(archive);
  damaged[0] = (damaged[0] ?? 0) ^ 1;
  expect((await ask({ archive: damaged, revision: 1 })).join()).toContain("a wrong checksum");
});

test("no program gets a secret in its arguments or environment", async () => {
  const shims = join(home, "shims");
  const log = join(home, "seen");
  mkdirSync(shims);
  for (const program of ["gocryptfs", "ssh-keygen", "fusermount3", "mount"]) {
    const real = execFileSync("which", [program], { encoding: "utf8" }).trim();
    const script = `#!/bin/sh\n{ echo "$0" "$@"; env; } >> ${log}\nexec ${real} "$@"\n`;
    writeFileSync(join(shims, program), script, { mode: 0o755 });
  }
  const path = process.env["PATH"] ?? "";
  process.env["PATH"] = `${shims}${delimiter}${path}`;
  try {
    await createPrivate(options(), context);
    await rotatePrivate(out, context);
  } finally {
    process.env["PATH"] = path;
  }
  const seen = readFileSync(log, "utf8");
  expect(seen).toContain("shims/gocryptfs -fg");
  const secrets = [stored("key").trim(), stored("access/redis-password").trim()];
  for (const secret of secrets) expect(seen).not.toContain(secret);
});

test("without root, files are overwritten and removed, read-only ones too", () => {
  const module = join(import.meta.dirname, "../../src/controller/private/work-directory.ts");
  const parent = mkdtempSync(join(tmpdir(), "node0-private-test-"));
  chmodSync(parent, 0o777);
  const code = `
    import { linkSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
    import { openWorkDirectory } from ${JSON.stringify(module)};
    process.setgid(65534);
    process.setuid(65534);
    const parent = ${JSON.stringify(parent)};
    {
      await using work = await openWorkDirectory(parent);
      writeFileSync(work.path + "/secret", "secret", { mode: 0o400 });
      linkSync(work.path + "/secret", parent + "/other-name");
    }
    console.log(JSON.stringify([readdirSync(parent), readFileSync(parent + "/other-name", "hex")]));`;
  try {
    const words = ["--input-type=module", "-e", code];
    const seen = execFileSync(process.execPath, words, { encoding: "utf8", timeout: 20_000 });
    expect(JSON.parse(seen)).toEqual([["other-name"], "000000000000"]);
  } finally {
    rmSync(parent, { recursive: true });
  }
});

test("what a killed predecessor left is unmounted and removed", async () => {
  const ended = execFileSync("sh", ["-c", "echo $$"], { encoding: "utf8" }).trim();
  const left = join("/run", `node0-private-${ended}-abcdef`);
  mkdirSync(left);
  execFileSync("mount", ["-t", "tmpfs", "node0-private", left]);
  mkdirSync(join(left, "plain"));
  writeFileSync(join(left, "plain/secret"), "secret");
  await using _work = await openWorkDirectory();
  expect(existsSync(left)).toBe(false);
});
