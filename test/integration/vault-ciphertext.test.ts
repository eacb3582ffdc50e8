import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/sys/clock.ts";
import { linuxFiles } from "../../src/sys/files-linux.ts";
import { type CiphertextSource, findCiphertext } from "../../src/vault/ciphertext.ts";
import { ControllerClient } from "../../src/vault/controller-client.ts";
import { Prefetch } from "../../src/vault/prefetch.ts";
import { formatUstar } from "../../src/vault/ustar.ts";
import { makeDatedCa } from "./support/dated-ca.ts";
import { SAMPLE, VaultHome } from "./support/vault-home.ts";
import { type Handler, json, openVaultServer, type VaultServer } from "./support/vault-server.ts";

const MAC = "52:54:00:00:00:01";
let home: VaultHome;
let server: VaultServer | undefined;

beforeEach(() => {
  home = new VaultHome();
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  await home.remove();
});

const sha256Of = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** The machine's view of a controller that answers so. */
async function source(handler: Handler): Promise<CiphertextSource> {
  const ca = await makeDatedCa();
  const identity = await ca.issue({ use: "server", name: "127.0.0.1" });
  server = await openVaultServer({ ca, identity, handler });
  const caFile = join(home.root, "ca.pem");
  writeFileSync(caFile, ca.certificate);
  const { url } = server;
  const { log, directories } = home;
  const client = new ControllerClient({
    controllers: () => [{ url, ca: caFile }],
    address: () => undefined,
    files: linuxFiles,
    clock: systemClock,
  });
  return { client, files: linuxFiles, log, directories };
}

const { signal } = new AbortController();

async function find(sha256: string, handler: Handler) {
  return findCiphertext({ ...(await source(handler)), sha256, mac: MAC, signal });
}

const sends =
  (archive: Buffer): Handler =>
  (_request, response) =>
    response.end(archive);

test("a sound archive is fetched by MAC and unpacked", async () => {
  const sha256 = home.encrypt(SAMPLE, join(home.root, "upload"));
  const archive = home.archive(join(home.root, "upload"));
  const found = await find(sha256, sends(archive));
  expect(found).toEqual({ directory: home.directories.fetched, origin: "fetched" });
  expect(sha256Of(home.archive(found.directory))).toBe(sha256);
  expect(server?.asked).toEqual([`GET /v1/private/${MAC}`]);
});

test("an archive with a flipped bit is refused, and nothing is unpacked", async () => {
  const sha256 = home.encrypt(SAMPLE, join(home.root, "upload"));
  const archive = home.archive(join(home.root, "upload"));
  const middle = archive.length >> 1;
  archive[middle] = (archive[middle] ?? 0) ^ 1;
  await expect(find(sha256, sends(archive))).rejects.toThrow("has another SHA-256");
  expect(existsSync(home.directories.fetched)).toBe(false);
});

test("an archive that is none, or of something else, is refused", async () => {
  const garbage = Buffer.from("garbage");
  await expect(find(sha256Of(garbage), sends(garbage))).rejects.toMatchObject({
    code: "E_VAULT_CIPHERTEXT",
  });
  await server?.close();
  const content = Buffer.from("x");
  const other = formatUstar([{ kind: "file", path: "x", isExecutable: false, content }]);
  await expect(find(sha256Of(other), sends(other))).rejects.toThrow("has no gocryptfs.conf");
  expect(existsSync(home.directories.fetched)).toBe(false);
});

test("a controller without ciphertext says so", async () => {
  const none: Handler = (_q, response) => json(response, 404, { code: "E", message: "none" });
  await expect(find("0".repeat(64), none)).rejects.toThrow("no ciphertext for this machine");
});

test("ciphertext of the image is used without asking where it is the one, or the only one", async () => {
  const sha256 = home.encrypt(SAMPLE);
  for (const known of [sha256, ""]) {
    const found = await find(known, () => {});
    expect(found).toEqual({ directory: home.directories.baked, origin: "from the image" });
    expect(server?.asked).toEqual([]);
    await server?.close();
  }
});

test("any flipped bit in the ciphertext of the image lets it be fetched", async () => {
  const sha256 = home.encrypt(SAMPLE);
  const archive = home.archive();
  const conf = join(home.directories.baked, "gocryptfs.conf");
  const text = readFileSync(conf, "utf8").replace("Creator", "creator");
  linuxFiles.remove(conf);
  writeFileSync(conf, text);
  const found = await find(sha256, sends(archive));
  expect(found.origin).toBe("fetched");
});

test("without any ciphertext that is the reason", async () => {
  await expect(find("", () => {})).rejects.toThrow("neither the image nor the controller");
});

test("what was fetched ahead is known by its digest once, and used only when it is the right one", async () => {
  const sha256 = home.encrypt(SAMPLE, join(home.root, "upload"));
  const archive = home.archive(join(home.root, "upload"));
  const from = await source(sends(archive));
  const prefetch = new Prefetch({ ...from, clock: systemClock });
  prefetch.begin(MAC, signal);
  const unpacked = await prefetch.ended();
  expect(unpacked).toBe(sha256);
  expect(await prefetch.ended()).toBeUndefined();
  expect(sha256Of(home.archive(home.directories.fetched))).toBe(sha256);
  const found = await findCiphertext({ ...from, sha256, unpacked, mac: MAC, signal });
  expect(found.directory).toBe(home.directories.fetched);
  expect(server?.asked).toHaveLength(1);
  const another = sha256Of(Buffer.from("another"));
  await expect(
    findCiphertext({ ...from, sha256: another, unpacked, mac: MAC, signal }),
  ).rejects.toThrow("has another SHA-256");
  expect(server?.asked).toHaveLength(2);
});
