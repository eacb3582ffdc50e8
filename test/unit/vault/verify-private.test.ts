import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PRIVATE_FILES } from "../../../src/vault/controller-api.ts";
import { MANIFEST_PATH } from "../../../src/vault/private-manifest.ts";
import { PRIVATE_LIMITS, verifyPrivate } from "../../../src/vault/verify-private.ts";

const NEEDED = { [PRIVATE_FILES.clientCertificate]: "cert", [PRIVATE_FILES.clientKey]: "key" };
const { signal } = new AbortController();
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "node0-verify-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** Files with a manifest that names them. */
function fill(texts: Record<string, string>): void {
  const lines = Object.entries(texts).map(([path, text]) => {
    put(path, text);
    return `${createHash("sha256").update(text).digest("hex")}  ${path}\n`;
  });
  put(MANIFEST_PATH, lines.join(""));
}

const many = (count: number, text = "x"): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`many/${index}`, text]));

test("more files than are read at a time, in directories of several depths, are all compared", async () => {
  const texts = { ...NEEDED, ...many(20), "a/b/c/d": "deep", "a/b/empty": "" };
  fill(texts);
  expect(await verifyPrivate(root, signal)).toBe(Object.keys(texts).length);
  put("a/b/c/d", "changed");
  await expect(verifyPrivate(root, signal)).rejects.toMatchObject({
    code: "E_VAULT_CIPHERTEXT",
    message: "the ciphertext is damaged: a/b/c/d is damaged",
  });
});

test("differences are told in the order of the manifest, then of the listing, whatever came first", async () => {
  const texts = { ...NEEDED, large: "x".repeat(3_000_000), ...many(8) };
  fill(texts);
  put("large", "y".repeat(3_000_000));
  rmSync(join(root, "many/7"));
  put("new/one", "");
  await expect(verifyPrivate(root, signal)).rejects.toThrow(
    "large is damaged, many/7 is missing, new/one does not belong there",
  );
  fill(NEEDED);
  rmSync(join(root, "new"), { recursive: true });
  rmSync(join(root, "large"));
  const [first, second, third] = readdirSync(join(root, "many")).map((name) => `many/${name}`);
  await expect(verifyPrivate(root, signal)).rejects.toThrow(
    `${first} does not belong there, ${second} does not belong there, ${third} does not belong there, and 4 more`,
  );
});

test("of several files that cannot be read, the first of the listing is named", async () => {
  fill({ ...NEEDED, ...many(30, "x".repeat(100_000)) });
  for (const index of [3, 11, 12, 29]) {
    rmSync(join(root, `many/${index}`));
    symlinkSync("/etc/passwd", join(root, `many/${index}`));
  }
  const links = readdirSync(join(root, "many"), { withFileTypes: true });
  const first = links.find((entry) => entry.isSymbolicLink())?.name;
  for (let count = 0; count < 5; count += 1) {
    await expect(verifyPrivate(root, signal)).rejects.toThrow(
      `Cannot read many/${first}: a link seen`,
    );
  }
});

test("the sizes of all files count together", async () => {
  fill({ ...NEEDED, ...many(10, "12345") });
  const sizeBytes = 50;
  rmSync(join(root, MANIFEST_PATH));
  await expect(verifyPrivate(root, signal, { ...PRIVATE_LIMITS, sizeBytes })).rejects.toThrow(
    "more than 50 bytes",
  );
  await expect(verifyPrivate(root, signal, { ...PRIVATE_LIMITS, sizeBytes: 57 })).rejects.toThrow(
    "is missing or damaged",
  );
});

test("ends with its signal, and reads nothing more then", async () => {
  fill({ ...NEEDED, ...many(30) });
  const control = new AbortController();
  let looks = 0;
  const counted = new Proxy(control.signal, {
    get: (target, name) => {
      if (name === "throwIfAborted") looks += 1;
      if (looks === 10) control.abort(new Error("going down"));
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  await expect(verifyPrivate(root, counted)).rejects.toThrow("going down");
  // One more at most for each that is read at a time.
  expect(looks).toBeLessThan(14);
});
