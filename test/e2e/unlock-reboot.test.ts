import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Machine } from "../../scripts/machine/machine.ts";
import { waitBooted } from "./support/boot-status.ts";
import { ChainLab } from "./support/chain-lab.ts";
import { BOOT_LIMIT_MS, call, exchange, openClient, shell } from "./support.ts";

/** One machine for all of these, each test going on where the one before ended. */
let lab: ChainLab;
let machine: Machine;
let client: Redis;

beforeAll(async () => {
  lab = await ChainLab.open("registered");
  await lab.createPrivate();
  machine = await lab.boot({ isBaked: true });
});
afterAll(async () => {
  client?.disconnect();
  await machine?.stop();
  await lab?.close();
});

/** Waits for a line of the serial console. @returns it. */
async function waitLine(pattern: RegExp, fromOffset = 0): Promise<string> {
  const [line] = await machine.waitSerial(pattern, { timeoutMs: BOOT_LIMIT_MS, fromOffset });
  return line;
}

async function connect(): Promise<Redis> {
  await machine.waitPong(lab.password, BOOT_LIMIT_MS);
  const opened = openClient(machine, lab.password);
  await waitBooted(opened);
  return opened;
}

/** Lets the machine start again. @returns Where the serial log of the new boot begins, or earlier. */
async function reboot(): Promise<number> {
  const fromOffset = machine.serial().length;
  await call(client, "core.reboot").catch(() => null);
  client.disconnect();
  return fromOffset;
}

describe("a registered machine with its ciphertext in the image", () => {
  test("unlocks without an operator and without fetching anything", async () => {
    expect(await waitLine(/ unlock +done .*\n/)).toContain("files from the image, revision 1");
    client = await connect();
    expect(await shell(client, "ls /run/node0/private 2>/dev/null || true")).toBe("");
  });

  test("core.reload brings a password that was laid over the mounted one, and takes it away", async () => {
    const file = "/mnt/etc/redis/password";
    const reload = async (): Promise<unknown> =>
      JSON.parse((await call(client, "core.reload")).data);
    await shell(client, `echo of-this-boot >/run/other && mount --bind /run/other ${file}`);
    await reload();
    const other = openClient(machine, "of-this-boot");
    expect(await other.ping()).toBe("PONG");
    expect(await client.ping()).toBe("PONG");
    await shell(client, `umount ${file}`);
    expect(await reload()).toMatchObject({ origin: "private", problems: [] });
    expect(await other.ping()).toBe("PONG");
    other.disconnect();
    const late = openClient(machine, "of-this-boot");
    await expect(late.ping()).rejects.toThrow(/WRONGPASS|NOAUTH/);
    late.disconnect();
  });

  test("has the new password after an edit and a reboot; the image is out of date, so it is fetched", async () => {
    const before = lab.password;
    await lab.editPrivate("sh", "-c", "echo of-the-next-revision >redis/password");
    expect(lab.password).not.toBe(before);
    expect(await client.ping()).toBe("PONG");
    const fromOffset = await reboot();
    expect(await waitLine(/ unlock +done .*\n/, fromOffset)).toContain("fetched, revision 2");
    client = await connect();
    const late = openClient(machine, before);
    await expect(late.ping()).rejects.toThrow(/WRONGPASS|NOAUTH/);
    late.disconnect();
  });

  test("goes on when it is revoked, and is refused at the next boot, which says why", async () => {
    await lab.operator.revoke(lab.id, "sold to somebody");
    const late = openClient(machine, lab.password);
    expect(await shell(late, "cat /mnt/etc/redis/password")).toBe(`${lab.password}\n`);
    late.disconnect();
    const fromOffset = await reboot();
    const refusal = `${lab.id} was revoked by ${lab.url}: sold to somebody`;
    const line = / unlock +retrying +(.*)\n/;
    expect(await waitLine(line, fromOffset)).toContain(refusal);
    expect(await exchange(machine.port, ["PING"])).toEqual([]);
    expect(machine.serial().slice(fromOffset)).not.toMatch(/ api +(running|done)| ssh +done/);
  });
});
