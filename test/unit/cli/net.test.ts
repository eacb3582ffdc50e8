import { describe, expect, test } from "vitest";
import { AgentError } from "../../../src/base/errors.ts";
import { formatNet } from "../../../src/cli/commands/net.ts";
import type { Format, Invocation } from "../../../src/cli/invocation.ts";
import type { Io, StopSignal } from "../../../src/cli/io.ts";
import { describeChanges, type NetStatus } from "../../../src/cli/net-changes.ts";
import { watchNetwork } from "../../../src/cli/net-watch.ts";
import { Client } from "../../../src/client/client.ts";
import type { NetworkStatus } from "../../../src/network/status.ts";
import { fakeStatus } from "../../fakes/network-control.ts";
import { FakeChannels, lost } from "../client/fake-channels.ts";
import { FakeIo } from "./fake-io.ts";

const plain = (_style: string, text: string): string => text;
const status = (over: Partial<NetworkStatus> = {}, version = 1): NetStatus => ({
  version,
  ...fakeStatus(over),
});
const [eth0, eth1] = status().interfaces;
if (eth0 === undefined || eth1 === undefined) throw new Error("the fake has two interfaces");

const SHOWN = `\
network        up
method         dhcp
reason         eth0 10.0.2.15/24 by DHCP, gateway 10.0.2.2
configuration  /etc/g8os/net.toml (not there)
controllers    https://a.example reached
name servers   10.0.2.3

INTERFACE  LINK        PROTOCOL  ADDRESSES                                LEASE             LAST
eth0       up          dhcp      10.0.2.15/24 fe80::5054:ff:fe12:3456/64  10.0.2.2 for 1 d  dhcp: reached
eth1       no carrier  auto      -                                        -                 dhcp: no carrier
`;

describe("node0 net", () => {
  test("shows state, method, reason, configuration, controllers, name servers and interfaces", () => {
    expect(formatNet(status(), plain)).toBe(SHOWN);
  });

  test("shows the mistakes of net.toml and why a controller is not reached", () => {
    const text = formatNet(
      status({
        state: "searching",
        method: null,
        round: 3,
        config: { file: "/etc/g8os/net.toml", isPresent: true, problems: ["line 1: bad"] },
        controllers: [{ url: "https://a.example", isReached: false, reason: "no answer" }],
      }),
      plain,
    );
    expect(text).toContain("method         none yet, round 3\n");
    expect(text).toContain("configuration  /etc/g8os/net.toml\n               line 1: bad\n");
    expect(text).toContain("https://a.example not reached: no answer\n");
  });

  test("lets no text of the machine steer the terminal", () => {
    const text = formatNet(status({ reason: "a\u001b[2Jb" }), plain);
    expect(text).not.toContain("\u001b");
  });
});

describe("a change in words", () => {
  const changes = (over: Partial<NetworkStatus>): string[] =>
    describeChanges(status(), status(over, 2));

  test("names the state that was reached, and what was tried", () => {
    expect(changes({ state: "searching", round: 2, reason: "eth0: no carrier" })).toEqual([
      "searching by dhcp, round 2: eth0: no carrier",
    ]);
  });

  test("names links, addresses and tries of an interface", () => {
    const interfaces = fakeStatus().interfaces.map((entry) =>
      entry.name === "eth1"
        ? { ...entry, hasCarrier: true, addresses: ["10.9.0.2/24"] }
        : {
            ...entry,
            isUp: false,
            addresses: [],
            tried: [{ method: "dhcp", isReached: false, reason: "no answer", endMs: 9 } as const],
          },
    );
    expect(changes({ interfaces })).toEqual([
      "eth0: down",
      "eth0: address 10.0.2.15/24 is gone",
      "eth0: address fe80::5054:ff:fe12:3456/64 is gone",
      "eth0: dhcp: no answer",
      "eth1: up",
      "eth1: address 10.9.0.2/24",
    ]);
  });

  test("names interfaces that come and go", () => {
    const [first] = fakeStatus().interfaces;
    const added = first === undefined ? [] : [{ ...first, name: "br0", addresses: ["10.1.1.1/8"] }];
    expect(changes({ interfaces: added })).toEqual([
      "eth0: gone",
      "eth1: gone",
      "br0: up, 10.1.1.1/8",
    ]);
  });

  test("names controllers, name servers and mistakes of net.toml", () => {
    expect(
      changes({
        controllers: [{ url: "https://a.example", isReached: false, reason: "no answer" }],
        dns: { servers: [], search: ["example"] },
        config: { file: "f", isPresent: true, problems: ["f:1: bad"] },
      }),
    ).toEqual([
      "configuration: f:1: bad",
      "https://a.example: not reached, no answer",
      "name servers: none, search example",
    ]);
  });

  test("is nothing when only times are different", () => {
    expect(changes({ sinceMs: 99_999 })).toEqual([]);
  });
});

describe("node0 net watch", () => {
  const UP = status();
  const DOWN = status({ state: "searching", reason: "eth0: no carrier" }, 2);

  test("prints the state, then one line per change, until it is stopped", async () => {
    const { code, out, asked } = await watch([UP, UP, DOWN]);
    expect(out.map((line) => line.replace(/^\S+Z {2}/, ""))).toEqual([
      "up by dhcp: eth0 10.0.2.15/24 by DHCP, gateway 10.0.2.2",
      "searching by dhcp: eth0: no carrier",
    ]);
    expect(out.every((line) => /^\d{4}-\d\d-\d\dT[\d:.]+Z /.test(line))).toBe(true);
    expect(asked).toEqual([{}, ...[1, 1, 2].map((since) => ({ since, wait_ms: 30_000 }))]);
    expect(code).toBe(130);
  });

  test("prints one object per line when JSON is asked for", async () => {
    const { out } = await watch([UP, DOWN], "json");
    expect(out.map((line) => JSON.parse(line))).toEqual([
      { time: expect.any(String), ...UP },
      { time: expect.any(String), ...DOWN },
    ]);
  });

  test("goes on when the machine was away, and says so once", async () => {
    const { out, err } = await watch([UP, lost(), DOWN]);
    expect(out).toHaveLength(2);
    expect(err).toBe(
      "node0: the machine cannot be reached, trying on\nnode0: the machine is back\n",
    );
  });

  test("fails when the machine is not reached at all", async () => {
    await expect(watch([lost()])).rejects.toMatchObject({ code: "E_CONNECTION_LOST" });
  });

  test("fails when the node refuses", async () => {
    const refusal = new AgentError("E_REFUSED", "unknown command");
    await expect(watch([UP, refusal])).rejects.toBe(refusal);
  });
});

/** Watches a node that gives these answers; asked for more, it gets Ctrl-C. */
async function watch(answers: (NetStatus | Error)[], format?: Format) {
  const io = new FakeIo();
  const asked: unknown[] = [];
  let interrupt: (signal: StopSignal) => void = () => undefined;
  const channels = new FakeChannels((_name, [args = "{}"]) => {
    asked.push(JSON.parse(args));
    const answer = answers.shift();
    if (answer === undefined) {
      interrupt("SIGINT");
      throw new AgentError("E_ABORTED", "stopped");
    }
    if (answer instanceof Error) throw answer;
    return JSON.stringify({ state: "SUCCESS", level: 20, data: JSON.stringify(answer) });
  });
  const client = new Client(channels, { host: "10.0.0.1", port: 6379, path: "" });
  const surroundings: Io = {
    ...io,
    stdout: io.stdout,
    stderr: io.stderr,
    readStdin: () => io.readStdin(),
    streamStdin: () => io.streamStdin(),
    ask: () => io.ask(),
    onStop: (listener) => {
      interrupt = listener;
      return () => undefined;
    },
  };
  const invocation = {
    io: surroundings,
    format,
    timeoutMs: undefined,
    paint: plain,
    connect: async () => client,
    note: (text: string) => io.stderr.write(`node0: ${text}\n`),
  } as unknown as Invocation;
  const code = await watchNetwork(invocation, { retryMs: 1 });
  return { code, asked, out: io.out.trim().split("\n"), err: io.err };
}
