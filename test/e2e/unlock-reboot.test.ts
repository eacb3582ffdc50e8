import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Machine } from "../../scripts/machine/machine.ts";
import { waitBooted } from "./support/boot-status.ts";
import { ChainLab } from "./support/chain-lab.ts";
import { ssh } from "./support/ssh.ts";
import { BOOT_LIMIT_MS, call, exchange, openClient, shell } from "./support.ts";

/** Machines report every 30 s, less up to a fifth. */
const HEARTBEAT_LIMIT_MS = 60_000;

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

async function setPassword(password: string): Promise<void> {
  await lab.editPrivate("sh", "-c", 'echo "$0" >redis/password', password);
  expect(lab.password).toBe(password);
}

async function expectRefused(password: string): Promise<void> {
  const stranger = openClient(machine, password);
  await expect(stranger.ping()).rejects.toThrow(/WRONGPASS|NOAUTH/);
  stranger.disconnect();
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

  test("takes an edited configuration with core.reload; the image is out of date, so it is fetched", async () => {
    const before = lab.password;
    const fromOffset = machine.serial().length;
    await setPassword("of-the-second-revision");
    expect(JSON.parse((await call(client, "core.reload")).data)).toEqual({
      isRenewed: true,
      isChanged: true,
      origin: "private",
      problems: [],
    });
    expect(await waitLine(/ unlock +done .*\n/, fromOffset)).toContain("fetched, revision 2");
    expect(await client.ping()).toBe("PONG");
    await expectRefused(before);
    const late = openClient(machine, lab.password);
    expect(await late.ping()).toBe("PONG");
    late.disconnect();
    expect((await ssh(lab.sshTarget(machine), "true")).status).toBe(0);
    expect(JSON.parse((await call(client, "core.reload")).data)).toMatchObject({
      isRenewed: false,
      isChanged: false,
    });
  });

  test("has the new password after an edit and a reboot", async () => {
    const before = lab.password;
    await setPassword("of-the-third-revision");
    const fromOffset = await reboot();
    expect(await waitLine(/ unlock +done .*\n/, fromOffset)).toContain("fetched, revision 3");
    client = await connect();
    await expectRefused(before);
  });

  test("goes on when it is revoked, and is refused at the next boot, which says why", async () => {
    await lab.operator.revoke(lab.id, "sold to somebody");
    const refusals = (): Promise<string> =>
      shell(client, "grep -c 'heartbeat failed' /run/node0/agent.log || true");
    await expect.poll(refusals, { timeout: HEARTBEAT_LIMIT_MS, interval: 1000 }).toBe("1\n");
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
