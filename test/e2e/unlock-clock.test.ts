import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitBooted } from "./support/boot-status.ts";
import { type BootOptions, ChainLab } from "./support/chain-lab.ts";
import { BOOT_LIMIT_MS, openClient, ROOT, shell } from "./support.ts";

/** More than the machine leaves alone, and than an answer of a busy host takes. */
const TOLERANCE_S = 30;
/** Between the start of the hardware clock and the end of the boot. */
const BOOT_LIMIT_S = BOOT_LIMIT_MS / 1000;

let lab: ChainLab;
beforeAll(async () => {
  lab = await ChainLab.open("registered");
  await lab.createPrivate();
});
afterAll(() => lab?.close());

test("a machine whose hardware clock says 1970 comes through the whole chain, and is on time then", async () => {
  await expectOnTime("1970-01-01", { clockBase: "1970-01-01" });
});

test("so does one that says 2099", async () => {
  const start = "2099-12-31T00:00:00Z";
  // QEMU 7.2 keeps the distance of its hardware clock from ours in 32 bits, which is 68 years.
  const setClock = `::sysinit:/bin/date -u -s @${Date.parse(start) / 1000}\n`;
  const inittab = readFileSync(join(ROOT, "initramfs/root/etc/inittab"), "utf8");
  await expectOnTime(start, { texts: { "etc/inittab": `${setClock}${inittab}` } });
});

/** @param start What the clock says when the machine starts. */
async function expectOnTime(start: string, options: BootOptions): Promise<void> {
  await using machine = await lab.boot(options);
  await machine.waitPong(lab.password, BOOT_LIMIT_MS);
  const client = openClient(machine, lab.password);
  const phases = await waitBooted(client);
  for (const name of ["network", "unlock", "controller-tls", "ssh", "api"]) {
    expect(phases[name], name).toMatchObject({ state: "done" });
  }
  const offS = Number(await shell(client, "date +%s")) - Date.now() / 1000;
  expect(Math.abs(offS)).toBeLessThan(TOLERANCE_S);

  const lines = await shell(client, 'grep -h \'"msg":"clock \' /run/node0/agent.log');
  const movedMs = lines.trim().split("\n").map(movementOf);
  const totalS = movedMs.reduce((sum, one) => sum + one, 0) / 1000;
  const wantedS = (Date.now() - Date.parse(start)) / 1000;
  expect(Math.abs(totalS - wantedS)).toBeLessThan(BOOT_LIMIT_S);
  client.disconnect();
}

/** How far a line of the log says that the clock was set. */
function movementOf(line: string): number {
  const { movedMs, byMs } = JSON.parse(line) as { movedMs?: number; byMs?: number };
  return movedMs ?? byMs ?? 0;
}
