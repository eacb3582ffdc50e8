import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Machine } from "../../scripts/machine/machine.ts";
import { buildSshdConfig } from "../../src/service/sshd-config.ts";
import { BOOT_LIMIT_MS, openClient, PASSWORD, shell, startNode } from "./support.ts";

let machine: Machine;
let client: Redis;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "node0-ssh-tools-"));
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(dir, "key")]);
  machine = await startNode();
  await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
  client = openClient(machine);
});
afterAll(async () => {
  client?.disconnect();
  await machine?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const put = (path: string, text: string): Promise<string> =>
  shell(client, `umask 077; cat >${path} <<'END'\n${text}\nEND\n`);

test("an encrypted directory is made, mounted, written and read; a flipped bit and a wrong key are refused", async () => {
  await put("/run/key", "c2VjcmV0IG9mIHRoaXMgdGVzdA==");
  await shell(client, "mkdir -p /run/cipher /mnt/etc");
  await shell(client, "gocryptfs -q -init -scryptn 10 /run/cipher </run/key");
  await shell(client, "gocryptfs -q /run/cipher /mnt/etc </run/key");
  expect(await shell(client, "grep /mnt/etc /proc/mounts")).toContain("fuse.gocryptfs");
  await shell(client, "echo private >/mnt/etc/file && umount /mnt/etc");
  expect(await shell(client, "cat /mnt/etc/file 2>/dev/null || echo absent")).toBe("absent\n");

  const seconds = await shell(
    client,
    "read -r a _ </proc/uptime; gocryptfs -q /run/cipher /mnt/etc </run/key; read -r b _ </proc/uptime; echo $a $b",
  );
  const [start = 0, end = 0] = seconds.split(" ").map(Number);
  console.info(`gocryptfs mounts in ${(end - start).toFixed(2)} s`);
  expect(await shell(client, "cat /mnt/etc/file")).toBe("private\n");

  const flip =
    "f=$(ls /run/cipher/* | grep -v gocryptfs); printf X | dd of=$f bs=1 seek=40 conv=notrunc";
  await shell(client, `umount /mnt/etc; ${flip} 2>/dev/null`);
  await shell(client, "gocryptfs -q /run/cipher /mnt/etc </run/key");
  expect(await shell(client, "cat /mnt/etc/file 2>&1 || true")).toContain("Input/output error");

  await shell(client, "umount /mnt/etc; echo wrong >/run/wrong");
  const refused = "gocryptfs -q /run/cipher /mnt/etc </run/wrong >/dev/null 2>&1; echo $?";
  expect(await shell(client, refused)).toBe("12\n");
});

test("sshd takes our configuration, and root gets a shell of the image by key alone", async () => {
  const key = readFileSync(join(dir, "key"), "utf8").trim();
  const publicKey = readFileSync(join(dir, "key.pub"), "utf8").trim();
  await shell(client, "mkdir -p -m 755 /run/sshd /run/keys");
  writeFileSync(join(dir, "known_hosts"), `machine ${publicKey}\n`);
  await put("/run/keys/ssh_host_ed25519_key", key);
  await put("/run/keys/authorized_keys", publicKey);
  const config = buildSshdConfig({
    listen: [{ host: "127.0.0.1", port: 22 }],
    hostKeys: ["/run/keys/ssh_host_ed25519_key"],
    authorizedKeys: "/run/keys/authorized_keys",
    fingerprints: [],
    own: null,
  });
  await put("/run/keys/sshd_config", config);
  expect(await shell(client, "/usr/sbin/sshd -t -f /run/keys/sshd_config 2>&1")).toBe("");
  const settings = await shell(client, "/usr/sbin/sshd -T -f /run/keys/sshd_config");
  expect(settings).toContain("passwordauthentication no\n");
  expect(settings).toContain("permitrootlogin without-password\n");
  await shell(client, "/usr/sbin/sshd -f /run/keys/sshd_config -E /run/keys/log");
  const session = await login("id -un; echo $HOME; command -v node0");
  expect(session).toEqual({ status: 0, output: "root\n/root\n/usr/bin/node0\n" });
  expect((await login("tty", ["-tt"])).output).toMatch(/^\/dev\/pts\/\d+\r\n/);
  const typist = await login("id", ["-o", "PubkeyAuthentication=no"]);
  expect(typist.output).toContain("Permission denied (publickey)");
});

test("users are known without a name service: root by key only, and one for sshd", async () => {
  expect(await shell(client, "id -u sshd; ls -ld /root; cat /etc/passwd")).toMatch(
    /^100\ndrwx------ .*\nroot:\*:0:0:root:\/root:\/bin\/sh\n/,
  );
  expect(await shell(client, "cat /proc/mounts")).toMatch(/^\S+ \/dev\/pts devpts .*ptmxmode=666/m);
});

/**
 * Runs ssh on this side against the sshd of the machine. The machine connects to us, because only the port
 * of its endpoint is forwarded.
 */
async function login(
  command: string,
  options: readonly string[] = [],
): Promise<{ status: number | null; output: string }> {
  const ours = await listen();
  const theirs = await listen();
  const answers = Promise.all([once(ours, "connection"), once(theirs, "connection")]).then(
    ([[one], [other]]) => (one as Socket).pipe(other as Socket).pipe(one as Socket),
  );
  const relay = `rm -f /run/pipe; mkfifo /run/pipe
    (nc 127.0.0.1 22 </run/pipe | nc 10.0.2.2 ${portOf(theirs)} >/run/pipe) >/dev/null 2>&1 &`;
  await shell(client, relay);
  const settings = [
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    `IdentityFile=${join(dir, "key")}`,
    `UserKnownHostsFile=${join(dir, "known_hosts")}`,
    "StrictHostKeyChecking=yes",
    "HostKeyAlias=machine",
    "NumberOfPasswordPrompts=0",
  ].flatMap((setting) => ["-o", setting]);
  const address = ["-p", String(portOf(ours)), "root@127.0.0.1"];
  const words = ["-F", "/dev/null", ...settings, ...options, ...address, command];
  const child = spawn("ssh", words, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part: Buffer) => {
      output += part.toString();
    });
  }
  const [status] = (await once(child, "close")) as [number | null];
  (await answers).destroy();
  ours.close();
  theirs.close();
  return { status, output };
}

async function listen(): Promise<Server> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
