import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ArpLab, type ArpNode } from "./support/arp-lab.ts";
import { missingForLab } from "./support/network-lab.ts";

const missing = missingForLab();
if (missing !== undefined) console.log(`address-conflict is skipped: ${missing}`);

const ADDRESS = "10.254.254.7";
const STRANGER = "02:00:00:00:00:99";
const SOON = { timeout: 10_000, interval: 20 };

describe.skipIf(missing !== undefined)("address conflicts on a real kernel", () => {
  let lab: ArpLab;
  beforeEach(async () => {
    lab = await ArpLab.open(["a", "b", "c"]);
    for (const machine of ["a", "b", "c"]) {
      await expect.poll(() => lab.isReady(machine), SOON).toBe(true);
    }
  });
  afterEach(() => lab.close());

  const probe = (node: ArpNode, name = "e0") =>
    node.ask({ do: "probe", interface: name, address: ADDRESS }, "outcome");

  /** Announcements of the address by a machine that is not there, sent by `node`. */
  const announce = (node: ArpNode, count: number, everyMs = 100) =>
    node.ask(
      {
        ...{ do: "send", kind: "announcement", interface: "e0", mac: STRANGER, address: ADDRESS },
        ...{ count, everyMs },
      },
      "sent",
    );

  test("on a silent network an address is free", async () => {
    expect(await probe(await lab.start("a"))).toEqual({ outcome: { isFree: true } });
  });

  test("the machine that has an address is found, with its hardware address", async () => {
    lab.run(`ip address add ${ADDRESS}/24 dev e0`, "b");
    const mac = lab.mac("b");
    expect(await probe(await lab.start("a"))).toEqual({ outcome: { isFree: false, mac } });
  });

  test("two interfaces of one machine on one switch do not conflict with each other", async () => {
    lab.run("ip link set e1 up", "a");
    await expect.poll(() => lab.isReady("a", "e1"), SOON).toBe(true);
    // Linux answers on every interface, so e1 speaks for the address of e0.
    lab.run(`ip address add ${ADDRESS}/24 dev e0`, "a");
    const node = await lab.start("a");
    expect(await probe(node, "e1")).toEqual({ outcome: { isFree: true } });
    const both = ["e0", "e1"].map((name) => probe(node, name));
    expect(await Promise.all(both)).toEqual(Array(2).fill({ outcome: { isFree: true } }));
  });

  test("machines with the same first choice at the same moment end with different addresses", async () => {
    const nodes = await Promise.all(["a", "b", "c"].map((machine) => lab.start(machine)));
    for (let round = 0; round < 5; round += 1) {
      const first = `10.254.254.${100 + round}`;
      const answers = await Promise.all(
        nodes.map((node) => node.ask({ do: "claim", interface: "e0", first }, "address")),
      );
      const addresses = answers.map((answer) => answer["address"]);
      expect(new Set(addresses).size, addresses.join(" ")).toBe(nodes.length);
      const conflicts = nodes.flatMap((node) => node.seen).filter((seen) => "conflict" in seen);
      expect(conflicts.length).toBeGreaterThanOrEqual((nodes.length - 1) * (round + 1));
      for (const node of nodes) await node.ask({ do: "undefend" }, "stopped");
    }
  });

  test("a link without cable, one that is down and one that is not there prove nothing", async () => {
    const node = await lab.start("a");
    const probing = probe(node);
    lab.run("ip link set a0 down");
    expect(await probing).toMatchObject({
      code: "E_ARP",
      message: expect.stringMatching(/no carrier$/),
    });
    lab.run("ip link set e0 down", "a");
    expect(await probe(node)).toMatchObject({
      code: "E_ARP",
      message: expect.stringMatching(/the link is down$/),
    });
    expect(await probe(node, "e7")).toMatchObject({
      code: "E_ARP",
      message: expect.stringMatching(/ENODEV$/),
    });
    lab.run("ip link set a1 up");
    lab.run("ip link set e1 up", "a");
    await expect.poll(() => lab.isReady("a", "e1"), SOON).toBe(true);
    const interrupted = probe(node, "e1");
    lab.run("ip link delete e1", "a");
    expect(await interrupted).toMatchObject({ code: "E_ARP" });
  });

  test("an address that is defended is announced, and a first conflict answered", async () => {
    lab.run(`ip address add ${ADDRESS}/24 dev e0`, "a");
    lab.run("ip address add 10.254.254.8/24 dev e0", "b");
    // Only a machine that knows the address keeps what announcements say of it.
    lab.run(`ip neighbour add ${ADDRESS} lladdr ${STRANGER} dev e0 nud stale`, "b");
    const neighbour = (): string => lab.run(`ip neighbour show ${ADDRESS}`, "b");
    const [node, stranger] = await Promise.all([lab.start("a"), lab.start("c")]);
    node.order({ do: "defend", interface: "e0", address: ADDRESS });
    await expect.poll(neighbour, SOON).toContain(lab.mac("a"));
    // After the second announcement, which would look like a defence.
    await announce(stranger, 1, 3000);
    expect(await node.until("msg", "lost")).toMatchObject({
      msg: "address is used by another machine, defended",
      mac: STRANGER,
    });
    await expect.poll(neighbour, SOON).toContain(lab.mac("a"));
    node.order({ do: "undefend" });
    expect(await node.until("stopped", "lost")).toEqual({ stopped: true });
  });

  test("an address that another machine takes twice within ten seconds is lost", async () => {
    const [node, stranger] = await Promise.all([lab.start("a"), lab.start("c")]);
    node.order({ do: "defend", interface: "e0", address: ADDRESS });
    await announce(stranger, 2, 1000);
    expect(await node.until("lost")).toEqual({ lost: STRANGER });
  });

  test("a busy network neither disturbs nor fills memory or descriptors", async () => {
    const [node, stranger] = await Promise.all([lab.start("a"), lab.start("c")]);
    lab.run(`ip address add ${ADDRESS}/24 dev e0`, "b");
    for (let count = 0; count < 5; count += 1) await probe(node);
    const before = await node.ask({ do: "measure" }, "descriptors");
    for (let count = 0; count < 10; count += 1) await probe(node);
    lab.run(`ip address delete ${ADDRESS}/24 dev e0`, "b");
    node.order({ do: "defend", interface: "e0", address: ADDRESS });
    const noise = { do: "send", interface: "e0", mac: STRANGER, everyMs: 10, count: 500 } as const;
    stranger.order({ ...noise, kind: "probe", address: ADDRESS });
    stranger.order({ ...noise, kind: "announcement", address: "10.254.254.99" });
    await stranger.until("sent");
    await node.ask({ do: "undefend" }, "stopped");
    const after = await node.ask({ do: "measure" }, "descriptors");
    expect(node.seen.filter((seen) => "lost" in seen)).toEqual([]);
    expect(after["descriptors"]).toBe(before["descriptors"]);
    const grownKiB = Number(after["residentKiB"]) - Number(before["residentKiB"]);
    console.log(`resident memory after 1000 packets: ${grownKiB} KiB more`);
    expect(grownKiB).toBeLessThan(8 * 1024);
  });
});
