import { beforeAll, expect, test } from "vitest";
import type { Machine } from "../../scripts/machine/machine.ts";
import { type BootFiles, ensureConsoleImage } from "./console-image.ts";
import { BOOT_LIMIT_MS, COMMAND_LIMIT_MS, exchange, PASSWORD, startNode } from "./support.ts";

let image: BootFiles;

beforeAll(async () => {
  image = await ensureConsoleImage();
});

/** Types a command on the serial line and waits for what it prints. */
async function type(machine: Machine, command: string, answer: RegExp): Promise<string> {
  const fromOffset = machine.serial().length;
  await machine.writeSerial(`${command}\n`);
  const [text] = await machine.waitSerial(answer, { timeoutMs: COMMAND_LIMIT_MS, fromOffset });
  return text;
}

test("a machine without cable says so, answers on its console and joins when the cable comes", async () => {
  await using machine = await startNode({ ...image, linksDown: [0] });
  await machine.waitSerial(/\[ *\d+\.\d{3}\] network +retrying .*eth0.*(carrier|cable)/m, {
    timeoutMs: BOOT_LIMIT_MS,
  });
  expect(machine.serial()).not.toMatch(/ api +done/);

  const status = await type(
    machine,
    "NO_COLOR=1 node0 status",
    /network +retrying[^\n]*eth0[^\n]*/,
  );
  expect(status).toMatch(/carrier|cable/);
  await type(machine, "node0 run -- echo by-$((40 + 2))-socket", /^by-42-socket$/m);

  const fromOffset = machine.serial().length;
  await machine.setLink(0, true);
  await machine.waitSerial(/\[ *\d+\.\d{3}\] network +done +eth0 10\.0\.2\.15\/24/m, {
    timeoutMs: BOOT_LIMIT_MS,
    fromOffset,
  });
  await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
});

test("a machine without password opens nothing but its unix socket", async () => {
  await using machine = await startNode({ ...image, password: null });
  await machine.waitSerial(/\[ *\d+\.\d{3}\] api +done +no password/m, {
    timeoutMs: BOOT_LIMIT_MS,
  });
  expect(await exchange(machine.port, ["PING"])).toEqual([]);
  await type(machine, "node0 run -- echo by-$((40 + 2))-socket", /^by-42-socket$/m);
});
