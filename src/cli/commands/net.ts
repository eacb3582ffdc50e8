import { EXIT } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";
import type { Invocation } from "../invocation.ts";
import { dnsText, linkText, type NetInterface, type NetStatus } from "../net-changes.ts";
import { watchNetwork } from "../net-watch.ts";
import type { Paint } from "../paint.ts";
import { type Cell, formatPairs, formatTable, printable } from "../table.ts";
import { formatDuration } from "../units.ts";

export const net: CliCommand = {
  name: "net",
  summary: "Show how the network came up, follow its changes, read net.toml again",
  options: [],
  operands: [
    { name: "ACTION", help: "Else the state is shown once", choices: ["watch", "reload"] },
  ],
  details: [
    "watch prints one line per change until it is ended, and goes on when the machine was away;\n" +
      "-o json prints the whole state as one line per change. --timeout ends it with exit code 0.",
    "reload ends with exit code 1 when net.toml has mistakes; the machine then stays as it is.",
    "Exit code 1 while the machine looks for a network, so that scripts can wait for it.",
  ],
  examples: ["node0 net", "node0 net -o json", "node0 net watch", "node0 net reload"],
  async run(invocation) {
    const action = invocation.input.operands[0];
    if (action === "watch") return await watchNetwork(invocation);
    if (action === "reload") return await reload(invocation);
    const client = await invocation.connect();
    const status = (await client.value("net.status", {}, invocation.limits)) as NetStatus;
    await invocation.print(status, () => formatNet(status, invocation.paint));
    return status.state === "up" ? EXIT.ok : EXIT.failure;
  },
};

async function reload(invocation: Invocation): Promise<number> {
  const client = await invocation.connect();
  const answer = (await client.value("net.reload", {}, invocation.limits)) as {
    readonly isAccepted: boolean;
    readonly problems: readonly string[];
  };
  await invocation.print(answer, () => {
    const problems = answer.problems.map((text) => `${printable(text)}\n`).join("");
    return answer.isAccepted ? `${problems}net.toml was read again\n` : problems;
  });
  if (answer.isAccepted) return EXIT.ok;
  await invocation.note("net.toml was refused, the network stays as it is");
  return EXIT.failure;
}

/** The text of `node0 net`. */
export function formatNet(status: NetStatus, paint: Paint): string {
  const isUp = status.state === "up";
  const { config } = status;
  const file = `${config.file}${config.isPresent ? "" : " (not there)"}`;
  const pairs: (readonly [string, Cell])[] = [
    ["network", { text: status.state, style: isUp ? "green" : "yellow" }],
    [
      "method",
      `${status.method ?? "none yet"}${status.round > 1 ? `, round ${status.round}` : ""}`,
    ],
    ["reason", status.reason || "-"],
    ["configuration", file],
    ...config.problems.map((text) => ["", { text, style: "red" }] as const),
    ...status.controllers.map(
      (controller, index) =>
        [index === 0 ? "controllers" : "", controllerCell(controller)] as const,
    ),
    ["name servers", dnsText(status)],
  ];
  const rows = status.interfaces.map(interfaceRow);
  const heading = ["INTERFACE", "LINK", "PROTOCOL", "ADDRESSES", "LEASE", "LAST"];
  return `${formatPairs(pairs, paint)}\n${formatTable(heading, rows, paint)}`;
}

function controllerCell({ url, isReached, reason }: NetStatus["controllers"][number]): Cell {
  if (isReached) return { text: `${url} reached`, style: "green" };
  return { text: `${url} not reached${reason === "" ? "" : `: ${reason}`}`, style: "yellow" };
}

function interfaceRow(entry: NetInterface): Cell[] {
  const link = linkText(entry);
  const last = [...entry.tried].sort((a, b) => a.endMs - b.endMs).at(-1);
  return [
    entry.name,
    { text: link, style: link === "up" ? "green" : "dim" },
    entry.protocol,
    entry.addresses.join(" ") || "-",
    leaseText(entry.lease),
    last === undefined ? "-" : `${last.method}: ${last.reason}`,
  ];
}

function leaseText(lease: NetInterface["lease"]): string {
  if (lease === null) return "-";
  const time =
    lease.leaseSeconds === null ? "for ever" : `for ${formatDuration(lease.leaseSeconds)}`;
  return lease.server === "" ? time : `${lease.server} ${time}`;
}
