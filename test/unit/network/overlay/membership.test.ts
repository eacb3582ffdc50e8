import { expect, test } from "vitest";
import { judgeMembership } from "../../../../src/network/overlay/membership.ts";

const NETWORK = "8056c2e21c000001";
const NODE = "89e92ceee5";

function judge(
  network: Record<string, unknown>,
  over: { onLink?: readonly string[]; status?: Record<string, unknown> } = {},
) {
  return judgeMembership({
    status: { address: NODE, online: true, ...over.status },
    network: { portDeviceName: "ztabcdefgh", ...network },
    networkId: NETWORK,
    onLink: () => over.onLink ?? [],
  });
}

const reasonOf = (outcome: ReturnType<typeof judge>): string =>
  outcome.isReached ? "reached" : outcome.reason;

test("OK with an address that the kernel has is reached", () => {
  const network = { status: "OK", assignedAddresses: ["10.147.17.5/24"] };
  expect(judge(network, { onLink: ["10.147.17.5"] })).toStrictEqual({
    isReached: true,
    reached: {
      nodeId: NODE,
      network: NETWORK,
      interface: "ztabcdefgh",
      addresses: ["10.147.17.5/24"],
    },
  });
});

test("IPv6 addresses are compared whatever their spelling", () => {
  const assigned = "fd80:56c2:e21c:0000:0199:9389:e92c:eee5/88";
  const network = { status: "OK", assignedAddresses: [assigned] };
  const outcome = judge(network, { onLink: ["fd80:56c2:e21c:0:199:9389:e92c:eee5"] });
  expect(outcome).toMatchObject({ reached: { addresses: [assigned] } });
});

test("only the addresses that are there count", () => {
  const network = { status: "OK", assignedAddresses: ["10.1.1.1/24", "10.2.2.2/24"] };
  const outcome = judge(network, { onLink: ["10.2.2.2"] });
  expect(outcome).toMatchObject({ reached: { addresses: ["10.2.2.2/24"] } });
});

test.each<[string, Record<string, unknown>]>([
  ["waiting for an address", { status: "OK", assignedAddresses: [] }],
  ["waiting for an address", { status: "OK" }],
  ["waiting for an address", { status: "OK", assignedAddresses: [7, "x; reboot/24"] }],
  [
    "waiting for its link",
    { status: "OK", assignedAddresses: ["10.1.1.1/24"], portDeviceName: "" },
  ],
  [
    "waiting for 10.1.1.1/24 to appear on ztabcdefgh",
    { status: "OK", assignedAddresses: ["10.1.1.1/24"] },
  ],
  [`waiting for an administrator to authorise ${NODE} on ${NETWORK}`, { status: "ACCESS_DENIED" }],
  ["asking the controller", { status: "REQUESTING_CONFIGURATION" }],
  ['in the state "NEW_WORD"', { status: "NEW_WORD" }],
  ['in the state ""', {}],
])("says %j", (words, network) => {
  expect(reasonOf(judge(network))).toContain(words);
});

test("an offline node says so instead of blaming the controller", () => {
  const outcome = judge({ status: "REQUESTING_CONFIGURATION" }, { status: { online: false } });
  expect(reasonOf(outcome)).toContain(`node ${NODE} is offline`);
});

test("a service without an address of its own is waited for", () => {
  const outcome = judge({ status: "OK" }, { status: { address: "evil address" } });
  expect(reasonOf(outcome)).toBe("zerotier-one has no address of its own yet");
});
