import { beforeAll, expect, test } from "vitest";
import { type BootFiles, ensureConsoleImage } from "./console-image.ts";
import { typeOnConsole } from "./support/console.ts";
import { BOOT_LIMIT_MS, exchange, PASSWORD, startNode } from "./support.ts";

let image: BootFiles;

beforeAll(async () => {
  image = await ensureConsoleImage();
});

test("a machine without cable says so, answers on its console and joins when the cable comes", async () => {
  await using machine = await startNode({ ...image, linksDown: [0] });
  await machine.waitSerial(/\[ *\d+\.\d{3}\] network +retrying .*eth0.*(carrier|cable)/m, {
    timeoutMs: BOOT_LIMIT_MS,
  });
  expect(machine.serial()).not.toMatch(/ api +done/);

  const status = await typeOnConsole(
    machine,
    "NO_COLOR=1 node0 status",
    /network +retrying[^\n]*eth0[^\n]*/,
  );
  expect(status).toMatch(/carrier|cable/);
  await typeOnConsole(machine, "node0 run -- echo by-$((40 + 2))-socket", /^by-42-socket$/m);

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
  await typeOnConsole(machine, "node0 run -- echo by-$((40 + 2))-socket", /^by-42-socket$/m);
});
