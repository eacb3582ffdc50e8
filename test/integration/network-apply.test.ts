import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NODE0_PROTOCOL } from "../../src/sys/network-state.ts";
import { lease } from "../fakes/desired-input.ts";
import type { ApplyAnswer, ApplyRequest } from "../fixtures/network-apply.ts";
import { missingForLab } from "./support/network-lab.ts";

const missing = missingForLab();
if (missing !== undefined) console.log(`network-apply is skipped: ${missing}`);

/** Two interfaces with cables whose other ends are p0 and p1. */
const CABLES = `
mount -t sysfs s /sys
ip link set lo up
for n in 0 1; do ip link add eth$n type veth peer name p$n; ip link set p$n up; done
`;

const BOTH = `
[interface.eth0]
protocol = "static"
mtu = 1400

[static.eth0]
ip = ["10.0.0.5/24", "10.0.0.6/24", "192.168.7.1/32", "2001:db8::5/64"]
gateway = ["10.0.0.1", "2001:db8::1"]

[[static.eth0.route]]
to = "10.7.0.0/16"
via = "10.0.0.9"
metric = 50

[[static.eth0.route]]
to = "10.8.0.0/16"

[[static.eth0.route]]
to = "2001:db8:7::/48"
via = "fe80::9"

[interface.br0]
protocol = "static"
bridge = { members = ["eth1"] }

[static.br0]
ip = "10.1.0.1/24"
`;

describe.skipIf(missing !== undefined)("a network is set up in the kernel", () => {
  let folder = "";
  let cell: Cell;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "node0-apply-"));
    cell = new Cell(folder);
    await cell.ask({ shell: CABLES });
  });
  afterEach(async () => {
    await cell.close();
    rmSync(folder, { recursive: true });
  });

  test("addresses, routes and a bridge are as net.toml says, and the next time nothing changes", async () => {
    const first = await cell.ask({ toml: BOTH });
    expect(first.applied?.problems).toEqual([]);
    expect(own(first)).toEqual([
      "br0 10.1.0.1/24",
      "eth0 10.0.0.5/24",
      "eth0 10.0.0.6/24",
      "eth0 192.168.7.1/32",
      "eth0 2001:db8::5/64",
    ]);
    const index = first.state.links.find(({ name }) => name === "eth0")?.index ?? 0;
    expect(ownRoutes(first)).toEqual([
      `0.0.0.0/0 via 10.0.0.1 eth0 ${800 + index}`,
      "10.7.0.0/16 via 10.0.0.9 eth0 50",
      `10.8.0.0/16 via null eth0 ${800 + index}`,
      `2001:db8:7::/48 via fe80::9 eth0 ${800 + index}`,
      `::/0 via 2001:db8::1 eth0 ${800 + index}`,
    ]);
    expect(first.state.links).toContainEqual(
      expect.objectContaining({ name: "eth0", mtu: 1400, isUp: true, hasCarrier: true }),
    );
    expect(first.state.links).toContainEqual(
      expect.objectContaining({ name: "eth1", isUp: true, master: "br0" }),
    );
    const second = await cell.ask({ toml: BOTH });
    expect(second.applied).toEqual({ changes: 0, problems: [] });
  });

  test("another agent takes over what the last one made, and takes it away when it is not wanted", async () => {
    await cell.ask({ toml: BOTH });
    const foreign = `
ip address add 10.44.0.1/24 dev eth0
ip route add 10.55.0.0/16 via 10.44.0.9
ip link add foreign0 type bridge
ip link set p1 master foreign0`;
    await cell.ask({ shell: foreign });
    const { applied, state } = await cell.ask({ toml: "[network]\nauto = true" });
    expect(applied?.problems).toEqual([]);
    expect(own({ state })).toEqual([]);
    expect(ownRoutes({ state })).toEqual([]);
    expect(state.links.map(({ name }) => name).sort()).toEqual([
      "eth0",
      "eth1",
      "foreign0",
      "lo",
      "p0",
      "p1",
    ]);
    expect(state.addresses).toContainEqual(expect.objectContaining({ address: "10.44.0.1" }));
    expect(state.routes).toContainEqual(expect.objectContaining({ destination: "10.55.0.0/16" }));
  });

  test("what somebody takes away comes back, and nothing else is touched", async () => {
    await cell.ask({ toml: BOTH });
    const { applied, state } = await cell.ask({
      shell: "ip link set eth0 down; ip address del 10.0.0.5/24 dev eth0",
      toml: BOTH,
    });
    expect(applied?.problems).toEqual([]);
    expect(own({ state })).toHaveLength(5);
    expect(ownRoutes({ state })).toHaveLength(5);
    expect((await cell.ask({ toml: BOTH })).applied?.changes).toBe(0);
  });

  test("a change that is refused is told, and the others are made", async () => {
    const shell = "ip link add br0 type veth peer name br1";
    const { applied, state } = await cell.ask({ shell, toml: BOTH });
    expect(applied?.problems).toEqual(["br0: cannot make the bridge: it exists already (EEXIST)"]);
    expect(own({ state })).toHaveLength(4);
    expect((await cell.ask({ toml: BOTH })).applied).toEqual({
      changes: 0,
      problems: ["br0: cannot make the bridge: it exists already (EEXIST)"],
    });
    const after = await cell.ask({ toml: "[network]\nauto = true" });
    expect(after.state.links).toContainEqual(
      expect.objectContaining({ name: "br0", kind: "veth" }),
    );
  });

  test("a lease and a fallback address are set beside each other and go without a trace", async () => {
    const leases = [{ lease: lease({ interface: "eth0" }), metric: 1002 }];
    const fallback = { interface: "eth1", address: "10.254.254.7" };
    const set = await cell.ask({ toml: "# nothing", leases, fallback });
    expect(set.applied?.problems).toEqual([]);
    expect(set.state.addresses).toContainEqual(
      expect.objectContaining({ address: "10.0.2.15", prefix: 24, validSeconds: 3600 }),
    );
    expect(own(set)).toContain("eth1 10.254.254.7/24");
    expect(ownRoutes(set)).toEqual(["0.0.0.0/0 via 10.0.2.2 eth0 1002"]);
    expect((await cell.ask({ toml: "# nothing", leases, fallback })).applied?.changes).toBe(0);
    const gone = await cell.ask({ toml: "# nothing" });
    expect(own(gone)).toEqual([]);
    expect(ownRoutes(gone)).toEqual([]);
  });

  test("the address a hook set goes with its lease, although it has no mark", async () => {
    const leases = [{ lease: lease({ interface: "eth0" }), metric: 1002 }];
    await cell.ask({
      shell:
        "ip link set eth0 up; ip address add 10.0.2.15/24 dev eth0 valid_lft 600 preferred_lft 600",
      toml: "# nothing",
      leases,
    });
    const { state } = await cell.ask({ toml: "# nothing" });
    expect(state.addresses.filter(({ address }) => address === "10.0.2.15")).toEqual([]);
  });

  test("router advertisements are accepted as net.toml says", async () => {
    const read = "cd /proc/sys/net/ipv6/conf; cat eth0/accept_ra eth0/autoconf eth1/accept_ra";
    await cell.ask({ toml: '[interface.eth1]\nprotocol = "dhcp"\nipv6 = "none"' });
    expect((await cell.ask({ shell: read })).output).toBe("2\n1\n0\n");
    await cell.ask({
      toml: '[interface.eth0]\nprotocol = "none"\n[interface.br0]\nprotocol = "none"\nbridge = { members = ["eth0"] }',
    });
    expect((await cell.ask({ shell: read })).output).toBe("0\n0\n2\n");
  });

  test("a bridge moves to another member", async () => {
    const bridge = (member: string): string =>
      `[interface.br0]\nprotocol = "none"\nbridge = { members = ["${member}"] }`;
    await cell.ask({ toml: bridge("eth0") });
    const { applied, state } = await cell.ask({ toml: bridge("eth1") });
    expect(applied?.problems).toEqual([]);
    const masters = state.links.map(({ name, master }) => [name, master]);
    expect(masters).toContainEqual(["eth0", null]);
    expect(masters).toContainEqual(["eth1", "br0"]);
  });

  test("an address of IPv6 is a problem where the kernel has none, and nothing else is", async () => {
    const off = "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6";
    const plain = await cell.ask({
      shell: off,
      toml: '[interface.eth0]\nprotocol = "static"\n[static.eth0]\nip = "10.0.0.5/24"',
    });
    expect(plain.applied?.problems).toEqual([]);
    const { applied } = await cell.ask({ toml: BOTH });
    expect(applied?.problems[0]).toMatch(/^eth0: cannot add 2001:db8::5\/64: \w+/);
    expect(applied?.problems.join()).not.toContain("10.0.0.5");
  });
});

/** A process in a namespace of its own; every request asks it for one change. */
class Cell {
  readonly #child: ChildProcess;
  readonly #waiting: PromiseWithResolvers<ApplyAnswer>[] = [];

  constructor(folder: string) {
    const words = ["--net", "--mount", "--fork", "--kill-child", process.execPath];
    this.#child = spawn("unshare", [...words, resolve("test/fixtures/network-apply.ts"), folder], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    if (this.#child.stdout === null) throw new Error("the cell has no output");
    createInterface({ input: this.#child.stdout }).on("line", (line) =>
      this.#waiting.shift()?.resolve(JSON.parse(line)),
    );
    this.#child.on("exit", () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error("the cell ended"));
    });
  }

  ask(request: ApplyRequest): Promise<ApplyAnswer> {
    const waiting = Promise.withResolvers<ApplyAnswer>();
    this.#waiting.push(waiting);
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    return waiting.promise;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}

/** `INTERFACE ADDRESS/PREFIX` of those with the mark. */
function own({ state }: Pick<ApplyAnswer, "state">): string[] {
  return state.addresses
    .filter(({ protocol }) => protocol === NODE0_PROTOCOL)
    .map((one) => `${one.interface} ${one.address}/${one.prefix}`)
    .sort();
}

function ownRoutes({ state }: Pick<ApplyAnswer, "state">): string[] {
  return state.routes
    .filter(({ protocol }) => protocol === NODE0_PROTOCOL)
    .map((one) => `${one.destination} via ${one.gateway} ${one.interface} ${one.metric}`)
    .sort();
}
