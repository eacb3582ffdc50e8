import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Machine } from "../../scripts/machine/machine.ts";
import { packCiphertext, readStore } from "../../src/controller/private/store.ts";
import type { UstarEntry } from "../../src/vault/ustar.ts";
import { makeCa } from "../integration/support/throwaway-ca.ts";
import { waitBooted } from "./support/boot-status.ts";
import { ChainLab } from "./support/chain-lab.ts";
import { BOOT_LIMIT_MS, exchange, openClient } from "./support.ts";

/** How long the controller is down while the machine boots and tries; longer ones change nothing more. */
const DOWN_MS = 15_000;

let lab: ChainLab;

beforeAll(async () => {
  lab = await ChainLab.open("registered");
  await lab.createPrivate();
});
afterAll(() => lab?.close());

/** Waits for a line of the serial console. @returns it. */
async function waitLine(machine: Machine, pattern: RegExp, fromOffset = 0): Promise<string> {
  const [line] = await machine.waitSerial(pattern, { timeoutMs: BOOT_LIMIT_MS, fromOffset });
  return line;
}

test("a machine whose image has another CA says so and never unlocks", async () => {
  await using machine = await lab.boot({ ca: otherCa() });
  await waitLine(machine, /certificate not signed by the CA in \/etc\/g8os\/controller-ca\.crt/);
  expect(await exchange(machine.port, ["PING"])).toEqual([]);
  expect(machine.serial()).not.toMatch(/ (unlock|api) +done/);
  expect(await lab.keysGiven()).toBe(0);
});

test("a machine outlasts a controller that is down, damaged ciphertext and a wrong key, and says which", async () => {
  await lab.controller.stop("SIGKILL");
  await using machine = await lab.boot();
  await waitLine(machine, / network +\w+ .*connection refused/);
  await sleep(DOWN_MS);
  expect(machine.serial()).not.toMatch(/ network +done/);
  await lab.startController();
  const { ciphertext } = readStore(lab.privateDirectory);
  await lab.operator.uploadPrivate(lab.id, lab.key, packCiphertext(flipped(ciphertext)).archive);
  await waitLine(machine, / unlock +retrying .*(ciphertext is damaged|Cannot read \/mnt\/etc)/);

  const strange = randomBytes(32).toString("base64");
  await lab.operator.uploadPrivate(lab.id, strange, packCiphertext(ciphertext).archive);
  await waitLine(machine, / unlock +retrying .*the key does not open the ciphertext/);
  expect(machine.serial()).not.toMatch(/ api +(running|done)/);

  await lab.uploadPrivate();
  await waitLine(machine, / unlock +done .*revision 4/);
  await machine.waitPong(lab.password, BOOT_LIMIT_MS);
  const client = openClient(machine, lab.password);
  expect((await waitBooted(client))["unlock"]?.attempts).toBeGreaterThan(2);
  client.disconnect();
});

function otherCa(): string {
  const directory = mkdtempSync(join(tmpdir(), "node0-other-ca-"));
  const ca = readFileSync(makeCa(directory).certificate, "utf8");
  rmSync(directory, { recursive: true });
  return ca;
}

/** One bit changed in the largest file, which holds contents and no names. */
function flipped(ciphertext: readonly UstarEntry[]): UstarEntry[] {
  const sizeOf = (entry: UstarEntry): number => (entry.kind === "file" ? entry.content.length : 0);
  const largest = ciphertext.reduce((one, other) => (sizeOf(other) > sizeOf(one) ? other : one));
  return ciphertext.map((entry) => {
    if (entry !== largest || entry.kind !== "file") return entry;
    const content = Buffer.from(entry.content);
    content[content.length - 1] = (content.at(-1) ?? 0) ^ 1;
    return { ...entry, content };
  });
}
