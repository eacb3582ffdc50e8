import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NetworkEvent } from "../../src/sys/network-state.ts";
import { NetworkCell } from "./support/network-cell.ts";
import { missingForLab } from "./support/network-lab.ts";

const missing = missingForLab();
if (missing !== undefined) console.log(`network-events is skipped: ${missing}`);

const everything: NetworkEvent = { kind: "link", interface: "" };

describe.skipIf(missing !== undefined)("notices of the kernel", () => {
  let cell: NetworkCell;
  beforeEach(async () => {
    cell = await NetworkCell.open();
    await cell.shell("ip link add v0 type veth peer name p0");
    await cell.subscribe();
    await expect.poll(heard).toContainEqual(everything);
    cell.batches.splice(0);
  });
  afterEach(() => cell.close());

  const heard = (): NetworkEvent[] => cell.batches.flat();

  test("an interface that is plugged in is told by name", async () => {
    await cell.shell("ip link add hot0 type veth peer name hot1");
    await expect.poll(heard).toContainEqual({ kind: "link", interface: "hot0" });
    expect(heard()).toContainEqual({ kind: "link", interface: "hot1" });
  });

  test("carrier that comes and carrier that goes are told", async () => {
    await cell.shell("ip link set v0 up; ip link set p0 up");
    await expect.poll(heard).toContainEqual({ kind: "link", interface: "v0" });
    await expect.poll(hasCarrier).toBe(true);
    cell.batches.splice(0);
    await cell.shell("ip link set p0 down");
    await expect.poll(heard).toContainEqual({ kind: "link", interface: "v0" });
    await expect.poll(hasCarrier).toBe(false);
  });

  const hasCarrier = async (): Promise<boolean | undefined> =>
    (await cell.observe()).links.find(({ name }) => name === "v0")?.hasCarrier;

  test("an address that is set and one that is lost are told, with the route that came along", async () => {
    await cell.shell("ip link set v0 up; ip link set p0 up; ip address add 10.0.0.1/24 dev v0");
    await expect.poll(heard).toContainEqual({ kind: "address", interface: "v0" });
    expect(heard()).toContainEqual({ kind: "route", interface: "v0" });
    cell.batches.splice(0);
    await cell.shell("ip address del 10.0.0.1/24 dev v0");
    await expect.poll(heard).toContainEqual({ kind: "address", interface: "v0" });
  });

  test("an address that runs out is told", async () => {
    await cell.shell(
      "ip link set v0 up; ip address add 10.0.0.1/24 dev v0 valid_lft 1 preferred_lft 1",
    );
    await expect.poll(heard).toContainEqual({ kind: "address", interface: "v0" });
    cell.batches.splice(0);
    await expect
      .poll(heard, { timeout: 10_000 })
      .toContainEqual({ kind: "address", interface: "v0" });
    expect((await cell.observe()).addresses.filter((one) => one.interface === "v0")).toEqual([]);
  });

  test("a link has its new name in notices after it was renamed", async () => {
    await cell.shell("ip link set v0 name w0; ip address add 10.0.0.1/24 dev w0");
    await expect.poll(heard).toContainEqual({ kind: "address", interface: "w0" });
  });

  test("a link that flaps a hundred times a second wakes the listener at most 20 times", async () => {
    const startMs = performance.now();
    const once = String.raw`link set v0 up\nlink set v0 down\n`;
    const forever = `while sleep 0.01; do printf '${once}'; done | ip -batch -`;
    await cell.shell(`(${forever}) >/dev/null 2>&1 &`);
    await expect.poll(() => cell.batches.length, { timeout: 10_000 }).toBeGreaterThan(20);
    const seconds = (performance.now() - startMs) / 1000;
    // The first call comes at once, and a timer may round its 50 ms down by one.
    expect((cell.batches.length - 1) / seconds).toBeLessThanOrEqual(1000 / 49);
    for (const batch of cell.batches) expect(batch.length).toBeLessThanOrEqual(8);
  });

  test("more notices than fit are no loss: listening begins again and says to look everywhere", async () => {
    // The event loop of the cell is blocked meanwhile, so nobody reads.
    const once = String.raw`link set v0 up\nlink set v0 down\n`;
    await cell.shell(`yes '${once}' | head -n 1000 | xargs -0 printf | ip -batch -`);
    const looks = (): number => heard().filter(({ interface: name }) => name === "").length;
    await expect.poll(looks, { timeout: 10_000 }).toBe(2);
    const reasons = (await cell.log()).map(([, , fields]) => fields["reason"]);
    expect(reasons).toEqual([expect.stringMatching(/ENOBUFS/)]);
    await cell.shell("ip link add hot0 type veth peer name hot1");
    await expect.poll(heard).toContainEqual({ kind: "link", interface: "hot0" });
  });

  test("listening takes no process that could outlive a killed agent", async () => {
    // In one shell, without a pipe: its own helpers must not be counted.
    const loop = 'for p in /proc/[0-9]*; do read -r name <"$p/comm" && echo "$name"; done';
    const processes = () => cell.shell(`${loop} 2>/dev/null`);
    const whileListening = await processes();
    await cell.unsubscribe();
    expect(await processes()).toBe(whileListening);
  });

  test("nothing listens after the last subscriber has left", async () => {
    const count = async (): Promise<number> =>
      netlinkSockets(await cell.shell("cat /proc/net/netlink"));
    const before = await count();
    await cell.unsubscribe();
    await expect.poll(count).toBe(before - 1);
    await cell.shell("ip link add hot0 type veth peer name hot1");
    expect(cell.batches).toEqual([]);
  });
});

/** Sockets of the routing family that hear groups, in the text of /proc/net/netlink. */
function netlinkSockets(text: string): number {
  const rows = text
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
  return rows.filter(
    ([, family, pid, groups]) => family === "0" && pid !== "0" && groups !== "00000000",
  ).length;
}
