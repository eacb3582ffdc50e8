/** Members of `net.status` the tool shows; the node may send more. */
export interface NetStatus {
  readonly version: number;
  readonly state: string;
  readonly method: string | null;
  readonly round: number;
  readonly reason: string;
  readonly sinceMs: number;
  readonly config: {
    readonly file: string;
    readonly isPresent: boolean;
    readonly problems: readonly string[];
  };
  readonly controllers: readonly {
    readonly url: string;
    readonly isReached: boolean;
    readonly reason: string;
  }[];
  readonly interfaces: readonly NetInterface[];
  readonly dns: { readonly servers: readonly string[]; readonly search: readonly string[] };
}

export interface NetInterface {
  readonly name: string;
  readonly isUp: boolean;
  readonly hasCarrier: boolean;
  readonly protocol: string;
  readonly addresses: readonly string[];
  readonly lease: {
    readonly server: string;
    readonly leaseSeconds: number | null;
  } | null;
  readonly tried: readonly {
    readonly method: string;
    readonly isReached: boolean;
    readonly reason: string;
    readonly endMs: number;
  }[];
}

/** The state in one line: `up by dhcp, eth0 10.0.2.15/24 …`. */
export function describeState({ state, method, round, reason }: NetStatus): string {
  const how = method === null ? "" : ` by ${method}`;
  const again = state === "up" || round < 2 ? "" : `, round ${round}`;
  return `${state}${how}${again}${reason === "" ? "" : `: ${reason}`}`;
}

/** `up`, `down`, or what is missing between them. */
export function linkText({ isUp, hasCarrier }: NetInterface): string {
  if (!isUp) return "down";
  return hasCarrier ? "up" : "no carrier";
}

/** What is different between two answers, a line each; empty where nothing a person wants to know is. */
export function describeChanges(before: NetStatus, after: NetStatus): string[] {
  const lines: string[] = [];
  if (describeState(before) !== describeState(after)) lines.push(describeState(after));
  const problems = after.config.problems.filter((text) => !before.config.problems.includes(text));
  lines.push(...problems.map((text) => `configuration: ${text}`));
  if (
    problems.length === 0 &&
    before.config.problems.length > 0 &&
    after.config.problems.length === 0
  )
    lines.push("configuration: no mistakes any more");
  for (const controller of after.controllers) {
    const old = before.controllers.find(({ url }) => url === controller.url);
    const text = controllerText(controller);
    if (old === undefined || controllerText(old) !== text) lines.push(text);
  }
  const names = new Set([...before.interfaces, ...after.interfaces].map(({ name }) => name));
  for (const name of names) {
    const [old, now] = [before, after].map(({ interfaces }) =>
      interfaces.find((entry) => entry.name === name),
    );
    lines.push(...interfaceChanges(name, old, now));
  }
  if (dnsText(before) !== dnsText(after)) lines.push(`name servers: ${dnsText(after)}`);
  return lines;
}

/** Name servers and, behind them, where names are looked for. */
export function dnsText({ dns }: NetStatus): string {
  const search = dns.search.length === 0 ? "" : `, search ${dns.search.join(" ")}`;
  return (dns.servers.join(" ") || "none") + search;
}

function controllerText({ url, isReached, reason }: NetStatus["controllers"][number]): string {
  const end = isReached ? "reached" : "not reached";
  return `${url}: ${end}${isReached || reason === "" ? "" : `, ${reason}`}`;
}

function interfaceChanges(
  name: string,
  before: NetInterface | undefined,
  after: NetInterface | undefined,
): string[] {
  if (after === undefined) return [`${name}: gone`];
  if (before === undefined) return [[`${name}: ${linkText(after)}`, ...after.addresses].join(", ")];
  const lines: string[] = [];
  if (linkText(before) !== linkText(after)) lines.push(`${name}: ${linkText(after)}`);
  for (const address of after.addresses) {
    if (!before.addresses.includes(address)) lines.push(`${name}: address ${address}`);
  }
  for (const address of before.addresses) {
    if (!after.addresses.includes(address)) lines.push(`${name}: address ${address} is gone`);
  }
  for (const now of after.tried) {
    const old = before.tried.find(({ method }) => method === now.method);
    if (old?.endMs !== now.endMs || old.reason !== now.reason)
      lines.push(`${name}: ${now.method}: ${now.reason}`);
  }
  return lines;
}
