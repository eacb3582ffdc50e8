import { EXIT } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";
import type { Invocation } from "../invocation.ts";
import { formatRows, formatValue } from "../render.ts";
import { formatPairs } from "../table.ts";
import { formatBytes, formatDuration } from "../units.ts";

type Facts = Readonly<Record<string, unknown>>;

/** Columns shown of each list; `-o json` shows everything. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  cpu: ["cpu", "vendorId", "modelName", "mhz", "cacheSize"],
  disk: ["device", "mountpoint", "fstype", "opts"],
  nic: ["name", "hardwareaddr", "mtu", "operstate", "addrs"],
  port: ["network", "ip", "port", "unix", "pid"],
};

const TOPICS = ["cpu", "mem", "disk", "nic", "os", "port", "version", "dmi"];

export const info: CliCommand = {
  name: "info",
  summary: "Show what the machine is made of",
  options: [],
  operands: [{ name: "TOPIC", help: "Part to show, else an overview", choices: TOPICS }],
  examples: ["node0 info", "node0 info nic", "node0 info cpu -o json"],
  async run(invocation) {
    const topic = invocation.input.operands[0];
    if (topic === undefined) return await overview(invocation);
    const value = await ask(invocation, topic);
    await invocation.print(value, () => formatTopic(topic, value, invocation));
    return EXIT.ok;
  },
};

/** One `info.*` command. */
export async function ask(invocation: Invocation, topic: string): Promise<unknown> {
  const client = await invocation.connect();
  return await client.value(`info.${topic}`, {}, invocation.limits);
}

/** Addresses of one link of `info.nic`, without the prefix notation taken apart. */
export function addressesOf(nic: Facts): string[] {
  const list = (nic["addrs"] ?? []) as readonly { addr: string }[];
  return list.map(({ addr }) => addr);
}

async function overview(invocation: Invocation): Promise<number> {
  await invocation.connect();
  const [os, mem, cpu, version] = (await Promise.all(
    ["os", "mem", "cpu", "version"].map((topic) => ask(invocation, topic)),
  )) as [Facts, Facts, Facts[], Facts];
  await invocation.print({ os, mem, cpu, version }, () =>
    formatPairs(
      [
        ["host name", String(os["hostname"])],
        ["system", `${os["platform"]} ${os["platformVersion"]}, Linux ${os["kernelVersion"]}`],
        ["up for", formatDuration(Number(os["uptime"]))],
        ["processors", `${cpu.length} x ${cpu[0]?.["modelName"] ?? "unknown"}`],
        [
          "memory",
          `${formatBytes(Number(mem["available"]))} available of ${formatBytes(Number(mem["total"]))}`,
        ],
        ["node0", formatVersion(version)],
      ],
      invocation.paint,
    ),
  );
  return EXIT.ok;
}

export function formatVersion(version: Facts): string {
  const dirty = version["dirty"] === true ? " (changed since)" : "";
  return `${version["branch"]} ${version["revision"]}${dirty}`;
}

function formatTopic(topic: string, value: unknown, { paint }: Invocation): string {
  const columns = COLUMNS[topic];
  if (Array.isArray(value) && columns !== undefined) {
    const rows = (value as Facts[]).map((row) => (topic === "nic" ? flattenNic(row) : row));
    return formatRows(rows, paint, columns);
  }
  if (topic === "mem" && typeof value === "object" && value !== null) {
    const pairs = Object.entries(value).map(
      ([name, bytes]) => [name, memoryText(name, bytes)] as const,
    );
    return formatPairs(pairs, paint);
  }
  if (topic === "dmi") return formatDmi(value, paint);
  return formatValue(value, paint);
}

function flattenNic(nic: Facts): Facts {
  const state = nic["operstate"] === true ? "up" : "down";
  return { ...nic, operstate: state, addrs: addressesOf(nic) };
}

function memoryText(name: string, value: unknown): string {
  if (typeof value !== "number") return String(value);
  return name === "usedPercent" ? `${value.toFixed(1)} %` : formatBytes(value);
}

interface DmiSection {
  readonly typestr?: string;
  readonly subsections?: readonly {
    readonly title?: string;
    readonly properties?: Facts;
  }[];
}

function formatDmi(value: unknown, paint: Invocation["paint"]): string {
  const sections = (value as { sections?: readonly DmiSection[] } | null)?.sections ?? [];
  const rows = sections.flatMap((section) =>
    (section.subsections ?? []).flatMap(({ title, properties }) =>
      Object.entries(properties ?? {}).map(([name, property]) => ({
        section: title ?? section.typestr ?? "",
        name,
        value: (property as { value?: unknown } | null)?.value ?? property,
      })),
    ),
  );
  return formatRows(rows, paint, ["section", "name", "value"]);
}
