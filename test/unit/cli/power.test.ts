import { expect, test } from "vitest";
import { orderPower } from "../../../src/cli/commands/power.ts";
import { Client } from "../../../src/client/client.ts";
import { type Answer, FakeChannels, lost } from "../client/fake-channels.ts";

const REFUSED =
  '{"id":"a","command":"core.reboot","data":"\\"no\\"","level":20,"state":"ERROR","code":406}';

const clientOf = (answer: Answer) =>
  new Client(new FakeChannels(answer), { host: "10.0.0.1", port: 6379, path: "" });

test("takes a machine that is gone after it got the command for obedient", async () => {
  const client = clientOf((name) => {
    if (name === "RPUSH") return 1;
    throw lost();
  });

  await expect(orderPower(client, "core.reboot", {})).resolves.toBeUndefined();
});

test("does not claim success when the command may never have arrived", async () => {
  const client = clientOf(() => {
    throw lost();
  });

  await expect(orderPower(client, "core.reboot", {})).rejects.toThrow("Cannot hear from");
});

test("reports a refusal", async () => {
  const client = clientOf((_name, [key]) => (key?.endsWith(":flag") === true ? 1 : REFUSED));

  await expect(orderPower(client, "core.reboot", {})).rejects.toMatchObject({ jobCode: 406 });
});
