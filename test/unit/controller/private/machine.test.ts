import { expect, test } from "vitest";
import { findMachine } from "../../../../src/controller/private/machine.ts";
import type { NodeRecord } from "../../../../src/controller/types.ts";

const [A, B, C] = ["02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"] as const;

const node = (id: string, macs: readonly string[]): NodeRecord => ({
  id,
  macs,
  state: "pending",
  note: "",
  reported: null,
  address: "",
  firstSeenMs: 0,
  lastSeenMs: 0,
  overlayAddress: "",
  revision: 0,
  revokedSerials: [],
  heartbeat: null,
});

const controller = (...nodes: NodeRecord[]) => ({
  listNodes: async () => nodes,
  registerNode: async ({ macs }: { readonly macs: readonly string[] }) => node("fresh", macs),
});

test("a machine nobody knows is registered with all its addresses", async () => {
  expect(await findMachine(controller(node("one", [C])), [A, B])).toMatchObject({
    id: "fresh",
    macs: [A, B],
  });
});

test("a known machine is found by any of its addresses", async () => {
  expect((await findMachine(controller(node("one", [A, B])), [B])).id).toBe("one");
});

test("addresses of two machines are refused", async () => {
  const two = controller(node("one", [A]), node("two", [B]));
  await expect(findMachine(two, [A, B])).rejects.toThrow("addresses of one and two seen");
});

test("an address a known machine does not have is refused", async () => {
  const one = controller(node("one", [A]));
  await expect(findMachine(one, [A, C])).rejects.toThrow(`${C}: one is known without it`);
});
