import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Counters } from "../../../src/api/counters.ts";
import { endpointMetrics, jobMetrics, keyspaceMetrics } from "../../../src/api/metrics-endpoint.ts";
import { nodeMetrics } from "../../../src/api/metrics-node.ts";
import { processMetrics } from "../../../src/api/metrics-process.ts";
import { recordMetrics } from "../../../src/api/metrics-records.ts";
import { PushHub } from "../../../src/api/push-hub.ts";
import type { Services } from "../../../src/api/services.ts";
import { Keyspace } from "../../../src/keyspace/keyspace.ts";
import type { MetricFamily } from "../../../src/metrics/family.ts";
import { ProcessMonitor } from "../../../src/metrics/process-monitor.ts";
import { renderMetrics } from "../../../src/metrics/text.ts";
import type { NetworkStatus } from "../../../src/network/status.ts";
import { systemClock } from "../../../src/sys/clock.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { parseExposition } from "../../fakes/exposition-parser.ts";

const NETWORK: NetworkStatus = {
  state: "up",
  method: "dhcp",
  round: 2,
  reason: "",
  sinceMs: 0,
  config: { file: "", isPresent: false, problems: [] },
  controllers: [{ url: 'https://c.example/"x"', isReached: true, reason: "" }],
  interfaces: [
    {
      name: "eth0",
      mac: "",
      kind: "",
      isUp: true,
      hasCarrier: false,
      mtu: 1500,
      master: null,
      addresses: [],
      protocol: "auto",
      lease: null,
      tried: [],
    },
  ],
  dns: { servers: [], search: [] },
};

const SAMPLE = { avg: 2.5, total: 5, max: 3, count: 2, start: 300 };

/** A machine with everything there is. */
function openMachine(over: Partial<Services> = {}): { clock: FakeClock; services: Services } {
  const clock = new FakeClock();
  const services: Pick<Services, "clock" | "boot" | "network" | "overlay" | "statistics"> = {
    clock,
    boot: {
      finishedMs: () => 2500,
      timeline: () => [
        { phase: "network", state: "done", startMs: 100, endMs: 1600, attempts: 2, reason: "" },
        { phase: "api", state: "pending", startMs: null, endMs: null, attempts: 0, reason: "" },
      ],
    },
    network: { status: () => NETWORK } as Services["network"],
    overlay: {
      info: async () => ({ online: true }),
      list: async () => [
        { id: "8056c2e21c000001", status: "OK" },
        { nwid: "9", status: "DENIED" },
      ],
    } as unknown as Services["overlay"],
    statistics: {
      feed: async () => {},
      counts: async () => ({ badLines: 5, refused: 6 }),
      query: async () => ({
        "disk.size/sda": {
          op: "A",
          last_value: 3,
          last_time: 1000,
          tags: [{ key: "id", value: "sda" }],
          current: { "300": SAMPLE },
          history: {},
        },
      }),
    },
  };
  return { clock, services: { ...services, ...over } as Services };
}

const read = (families: readonly MetricFamily[]) => parseExposition(renderMetrics(families));

/** `metric{a=b}` and its value. */
const shown = (families: readonly MetricFamily[]): Map<string, number> =>
  new Map(
    [...read(families).values()].flatMap(({ samples }) =>
      samples.map(({ name, labels, value }) => {
        const list = Object.entries(labels).map(([label, text]) => `${label}=${text}`);
        return [`${name}{${list.join(",")}}`, value] as const;
      }),
    ),
  );

test("a machine shows boot, network, overlay and statistics", async () => {
  const values = shown(await nodeMetrics(openMachine().services));
  expect(Object.fromEntries(values)).toMatchObject({
    "node0_boot_seconds{}": 2.5,
    "node0_boot_phase_state{phase=network,state=done}": 1,
    "node0_boot_phase_state{phase=network,state=failed}": 0,
    "node0_boot_phase_state{phase=api,state=pending}": 1,
    "node0_boot_phase_attempts{phase=network}": 2,
    "node0_boot_phase_seconds{phase=network}": 1.5,
    "node0_network_up{}": 1,
    "node0_network_method{method=dhcp}": 1,
    "node0_network_rounds{}": 2,
    'node0_network_controller_reached{url=https://c.example/"x"}': 1,
    "node0_network_interface_up{interface=eth0}": 1,
    "node0_network_interface_carrier{interface=eth0}": 0,
    "node0_overlay_service_up{}": 1,
    "node0_overlay_online{}": 1,
    "node0_overlay_network_ok{network=8056c2e21c000001}": 1,
    "node0_overlay_network_ok{network=9}": 0,
    "node0_statistics{}": 1,
    "node0_statistics_bad_lines_total{}": 5,
    "node0_statistics_refused_total{}": 6,
    "node0_statistic{metric=disk.size,id=sda}": 2.5,
    "node0_statistic_last_timestamp_seconds{metric=disk.size,id=sda}": 1000,
  });
  expect(values.has("node0_boot_phase_seconds{phase=api}")).toBe(false);
});

test("a host has none of these", async () => {
  const boot: Services["boot"] = { finishedMs: () => null, timeline: () => [] };
  const { services } = openMachine({ boot, network: null, overlay: null, statistics: null });
  expect(renderMetrics(await nodeMetrics(services))).toBe("");
});

test("an overlay that hangs costs its own metrics and no others", async () => {
  const overlay = { info: () => new Promise(() => {}), list: async () => [] };
  const { clock, services } = openMachine({ overlay: overlay as never });
  const collecting = nodeMetrics(services);
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(5000);
  const names = [...read(await collecting).keys()];
  expect(names.filter((name) => name.includes("overlay"))).toStrictEqual([]);
  expect(names).toContain("node0_network_up");
  expect(names).toContain("node0_statistic");
});

test("lost log records are counted for each place they did not get to", async () => {
  const values = shown(await recordMetrics({ lost: async () => ({ file: 1, remote: 2 }) }));
  expect(Object.fromEntries(values)).toStrictEqual({
    "node0_log_records_lost_total{sink=file}": 1,
    "node0_log_records_lost_total{sink=remote}": 2,
  });
});

test("an overlay that does not answer is down", async () => {
  const refuse = () => Promise.reject(new Error("no answer"));
  const { services } = openMachine({ overlay: { info: refuse, list: refuse } as never });
  const values = shown(await nodeMetrics(services));
  expect(values.get("node0_overlay_service_up{}")).toBe(0);
  expect(values.get("node0_overlay_online{}")).toBe(0);
});

function endpointFamilies(counters: Counters): MetricFamily[] {
  const keyspace = new Keyspace({ clock: systemClock });
  const push = new PushHub(null, keyspace);
  const sources = { endpoint: { counters, connectionCount: 7 }, maxClients: 9, keyspace, push };
  return [...endpointMetrics(sources), ...keyspaceMetrics(sources)];
}

test("everything the endpoint counts is shown", () => {
  const counters = new Counters();
  const names = Object.keys(counters) as (keyof Counters)[];
  for (const [at, name] of names.entries()) counters[name] = 1000 + at;
  const values = new Set(shown(endpointFamilies(counters)).values());
  expect(names.filter((_, at) => !values.has(1000 + at))).toStrictEqual([]);
});

test("the documentation lists every metric with its type, and no other", async () => {
  const monitor = new ProcessMonitor(systemClock);
  monitor.start();
  const counts = { counts: () => ({ running: 1 }), finished: () => ({ SUCCESS: 1 }) };
  const families = [
    ...endpointFamilies(new Counters()),
    ...jobMetrics({ ...counts, maxJobs: 1 }),
    ...processMetrics(monitor),
    ...(await nodeMetrics(openMachine().services)),
    ...(await recordMetrics({ lost: async () => ({ file: 1, remote: 2 }) })),
  ];
  monitor.stop();
  const rows = readFileSync("docs/metrics.md", "utf8").matchAll(/^\| (`.*`) \| (counter|gauge)/gm);
  const documented = [...rows].flatMap(([, names = "", type]) =>
    [...names.matchAll(/`([a-z0-9_]+)(?:\{[a-z,]+\})?`/g)].map(([, name]) => `${name} ${type}`),
  );
  // These three are added where all is put together.
  const about = ["node0_build_info", "node0_configuration_problems", "node0_scrape_seconds"];
  const all = [...families.map(({ name, type }) => `${name} ${type}`)];
  expect(documented.sort()).toStrictEqual([...all, ...about.map((name) => `${name} gauge`)].sort());
});
