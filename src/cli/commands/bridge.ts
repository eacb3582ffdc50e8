import { EXIT } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";
import type { Input } from "../input.ts";
import type { Invocation } from "../invocation.ts";
import { formatRows } from "../render.ts";
import { UsageError } from "../usage-error.ts";

/** Arguments of `bridge.create`. */
interface Creation {
  readonly name: string;
  readonly hwaddr: string | undefined;
  readonly network?: {
    readonly mode: "static" | "dnsmasq";
    readonly nat: boolean;
    readonly settings: Readonly<Record<string, string | undefined>>;
  };
}

const ACTIONS = ["list", "create", "delete"];

export const bridge: CliCommand = {
  name: "bridge",
  summary: "List, create and delete bridges",
  options: [
    { name: "cidr", value: "ADDRESS/PREFIX", help: "create: address of the bridge" },
    { name: "dhcp", value: "FIRST-LAST", help: "create: addresses to hand out, needs --cidr" },
    { name: "nat", help: "create: machines behind the bridge reach other networks, needs --cidr" },
    { name: "mac", value: "MAC", help: "create: hardware address, else a random one" },
  ],
  operands: [
    { name: "ACTION", help: "Else the bridges are listed", choices: ACTIONS },
    { name: "NAME", help: "Name of the bridge" },
  ],
  details: ["delete ends the name and address service of the bridge and its firewall rules, too."],
  examples: [
    "node0 bridge",
    "node0 bridge create lab --cidr 10.20.0.1/24 --nat",
    "node0 bridge create lab --cidr 10.20.0.1/24 --dhcp 10.20.0.10-10.20.0.99",
    "node0 bridge delete lab",
  ],
  async run(invocation) {
    const [action = "list", name] = invocation.input.operands;
    const client = () => invocation.connect();
    if (action === "list") return await list(invocation, name);
    if (name === undefined) {
      throw new UsageError(`Cannot run bridge ${action}: NAME is missing`, "bridge");
    }
    if (action === "create") {
      const args = creation(invocation.input, name);
      await (await client()).value("bridge.create", args, invocation.limits);
    } else {
      await (await client()).value("bridge.delete", { name }, invocation.limits);
    }
    return EXIT.ok;
  },
};

async function list(invocation: Invocation, name: string | undefined): Promise<number> {
  const client = await invocation.connect();
  const ask = async (command: string, args: object) =>
    (await client.value(command, args, invocation.limits)) as readonly string[];
  const names = await ask("bridge.list", {});
  const wanted = names.filter((one) => name === undefined || one === name);
  const bridges: { name: string; nics: readonly string[] }[] = [];
  for (const one of wanted) {
    bridges.push({ name: one, nics: await ask("bridge.nic-list", { name: one }) });
  }
  await invocation.print(bridges, () => formatRows(bridges, invocation.paint, ["name", "nics"]));
  if (name === undefined || wanted.length > 0) return EXIT.ok;
  await invocation.note(`there is no bridge ${name}`);
  return EXIT.failure;
}

function creation(input: Input, name: string): Creation {
  const cidr = input.text("cidr");
  const dhcp = input.text("dhcp");
  const nat = input.flag("nat");
  const hwaddr = input.text("mac");
  if (cidr === undefined) {
    const option = dhcp === undefined ? "--nat" : "--dhcp";
    if (dhcp !== undefined || nat) {
      throw new UsageError(`Cannot use ${option} without --cidr`, "bridge");
    }
    return { name, hwaddr };
  }
  const [start, end, ...more] = dhcp?.split("-") ?? [];
  if (dhcp !== undefined && (start === "" || end === undefined || end === "" || more.length > 0)) {
    throw new UsageError(`Cannot use --dhcp "${dhcp}": expected FIRST-LAST`, "bridge");
  }
  const settings = { cidr, start, end };
  return {
    name,
    hwaddr,
    network: { mode: dhcp === undefined ? "static" : "dnsmasq", nat, settings },
  };
}
