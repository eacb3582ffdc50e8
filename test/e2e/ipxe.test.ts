import { expect, test } from "vitest";
import { BOOT_LIMIT_MS, openClient, PASSWORD, shell, startNode } from "./support.ts";

test("a machine fetches kernel, image and password by iPXE over HTTP and answers", async () => {
  await using machine = await startNode({ boot: "ipxe", append: "node0.hostname=from-ipxe" });
  const answeredMs = await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
  console.log(`first PONG after ${Math.round(answeredMs)} ms by iPXE`);
  const client = openClient(machine);
  try {
    expect(await shell(client, "hostname")).toBe("from-ipxe\n");
  } finally {
    client.disconnect();
  }
});
