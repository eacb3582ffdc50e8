import { hasInterfaceConfig, type InterfaceRole } from "./interface-roles.ts";
import { describeInterface } from "./method-dhcp.ts";
import { isConfiguredElsewhere, type NetworkView, usableRoute } from "./network-view.ts";
import { describeReached, type ReachCheck } from "./reach-check.ts";
import {
  check,
  dhcpLimitMs,
  type MethodSuccess,
  reachedWords,
  record,
  rolesOf,
  type Search,
  targetName,
  viewsOf,
} from "./search.ts";
import { nameList } from "./search-report.ts";

/** IPv6 addresses are probed for duplicates first; the kernel takes about two seconds. */
const TENTATIVE_MS = 3000;
/** A network that changes again and again must not hold up the other methods. */
const MARGIN_MS = 10_000;

/**
 * The first method: everything net.toml says at the same time. It ends as soon as the controllers are
 * reached, or when every interface either has what it shall have or cannot get it.
 *
 * @returns Undefined when no controller was reached; the report says why.
 */
export async function tryConfig(search: Search): Promise<MethodSuccess | undefined> {
  if (!hasInterfaceConfig(search.loaded.config)) return tryWhatIsThere(search);
  const { clock, sight, setup, signal } = search;
  const beginMs = clock.monotonicMs();
  let checked = "";
  let outcome: ReachCheck | undefined;
  await setup.use(null);
  for (;;) {
    const seen = await lookAtConfigured(search);
    const nowMs = clock.monotonicMs();
    const fingerprint = fingerprintOf(seen);
    const isNew = fingerprint !== checked && nowMs < beginMs + dhcpLimitMs(search) + MARGIN_MS;
    if (isNew && seen.rows.some((row) => isUsable(seen.view, row))) {
      checked = fingerprint;
      search.say(`looking for ${targetName(search)} as net.toml says`);
      await setup.reconcile();
      outcome = await check(search, {});
      if (outcome.isReached) return succeed(search, seen.rows, outcome);
      continue;
    }
    const untilMs = pendingUntilMs(search, seen, beginMs);
    if (untilMs === null || untilMs <= nowMs) {
      await recordFailures(search, seen, outcome);
      return undefined;
    }
    search.say(describeWaiting(seen.rows));
    await sight.next(untilMs - nowMs, signal);
    await setup.reconcile();
  }
}

/** What belongs to the first method at one moment. */
interface Seen {
  readonly view: NetworkView;
  readonly rows: readonly InterfaceRole[];
  readonly missing: readonly string[];
}

/**
 * Without interfaces in net.toml the network may still be set up: by the kernel command line, by router
 * advertisement, by hand. A default route that a DHCP client brought is the business of the second method.
 */
async function tryWhatIsThere(search: Search): Promise<MethodSuccess | undefined> {
  const view = search.sight.look();
  const { roles } = rolesOf(search, view);
  const found = roles.find(
    ({ view: one, isCandidate }) =>
      isCandidate &&
      one.lease === undefined &&
      search.setup.candidate !== one.name &&
      view.state !== undefined &&
      isConfiguredElsewhere(view, one),
  );
  if (found === undefined) return undefined;
  const { name } = found.view;
  search.say(`${name}: looking for ${targetName(search)}`);
  const outcome = await check(search, { interface: name });
  const what = describeInterface(view, name);
  const reason = outcome.isReached ? what : `${what}, but ${outcome.reason}`;
  record(search, name, "config", { isReached: outcome.isReached, reason });
  if (!outcome.isReached) return undefined;
  const text = describeReached({
    what: `${name} ${what}`,
    route: usableRoute(view, name),
    check: outcome,
  });
  return { choice: { method: "config" }, text };
}

/** Sets links up, starts the clients net.toml asks for, and says what there is. */
async function lookAtConfigured(search: Search): Promise<Seen> {
  const { sight, setup, clients } = search;
  const find = (view: NetworkView) => {
    const { roles, missing } = rolesOf(search, view);
    return { view, rows: roles.filter(isConfigured), missing };
  };
  let seen = find(sight.look());
  if (setup.setUp(viewsOf(seen.rows))) seen = find(sight.look());
  await clients.keep(viewsOf(seen.rows.filter(({ wantsDhcp }) => wantsDhcp)));
  return seen;
}

function isConfigured({ section, protocol, wantsDhcp, isCandidate }: InterfaceRole): boolean {
  return isCandidate && (wantsDhcp || (section !== null && protocol === "static"));
}

/** Whether it may carry packets already. */
function isUsable(view: NetworkView, { view: one, protocol, wantsDhcp }: InterfaceRole): boolean {
  if (!one.hasCarrier) return false;
  if (!wantsDhcp && protocol === "static") return true;
  return one.lease !== undefined || isConfiguredElsewhere(view, one);
}

/** Another check is worth while only when this changed. */
function fingerprintOf({ view, rows }: Seen): string {
  return JSON.stringify([
    rows.map(({ view: one }) => [
      one.name,
      one.hasCarrier,
      one.lease?.address ?? "",
      one.addresses
        .filter(({ scope }) => scope === "global")
        .map(({ address, isTentative }) => [address, isTentative]),
    ]),
    view.defaultRoutes.map((route) => [route.interface, route.gateway]),
  ]);
}

/** When the last interface will be decided; null when all are. */
function pendingUntilMs(search: Search, { view, rows }: Seen, beginMs: number): number | null {
  const dues = rows.flatMap(({ view: one, wantsDhcp }) => {
    if (!one.hasCarrier) return [search.carrierUntilMs];
    if (one.addresses.some(({ isTentative }) => isTentative)) return [beginMs + TENTATIVE_MS];
    const askingMs = search.clients.askingSinceMs(one.name);
    const isAsking = wantsDhcp && one.lease === undefined && askingMs !== null;
    return isAsking ? [askingMs + dhcpLimitMs(search)] : [];
  });
  const nowMs = search.clock.monotonicMs();
  const open = dues.filter((due) => due > nowMs);
  // Nobody answers on an interface whose packets go nowhere: the view is not needed for that.
  return open.length === 0 || view.interfaces.length === 0 ? null : Math.max(...open);
}

async function succeed(
  search: Search,
  rows: readonly InterfaceRole[],
  outcome: ReachCheck,
): Promise<MethodSuccess> {
  const view = search.sight.look();
  const route = usableRoute(view);
  const alive = rows.filter(({ view: one }) => one.hasCarrier);
  const first = alive.find(({ view: one }) => one.name === route?.interface) ?? alive[0];
  const name = first?.view.name ?? "";
  const what = first === undefined ? "net.toml" : `${name} ${describeConfigured(view, first)}`;
  for (const row of alive) {
    const reason = `${describeConfigured(view, row)}, ${reachedWords(search, outcome)}`;
    record(search, row.view.name, "config", { isReached: true, reason });
  }
  return { choice: { method: "config" }, text: describeReached({ what, route, check: outcome }) };
}

/** "192.168.1.5/24 from net.toml". */
function describeConfigured(view: NetworkView, { view: one, section }: InterfaceRole): string {
  const [first] = section?.addresses ?? [];
  if (first === undefined) return describeInterface(view, one.name);
  return `${first.address}/${first.prefix} from net.toml`;
}

async function recordFailures(
  search: Search,
  { view, rows, missing }: Seen,
  outcome: ReachCheck | undefined,
): Promise<void> {
  const fail = (name: string, reason: string): void =>
    record(search, name, "config", { isReached: false, reason });
  const why = outcome?.reason ?? "nothing was reached";
  const dark = rows.filter(({ view: one }) => !one.hasCarrier);
  for (const row of rows.filter(({ view: one }) => one.hasCarrier)) {
    const { name } = row.view;
    const sinceMs = search.clients.askingSinceMs(name) ?? search.clock.monotonicMs();
    const seconds = Math.round((search.clock.monotonicMs() - sinceMs) / 1000);
    const reason = isUsable(view, row)
      ? `${describeConfigured(view, row)}, but ${why}`
      : `no DHCP answer after ${seconds} s`;
    fail(name, reason);
  }
  for (const name of missing) fail(name, "named in net.toml, but not there");
  for (const { view: one } of dark) fail(one.name, one.isUp ? "no carrier" : "cannot be set up");
}

function describeWaiting(rows: readonly InterfaceRole[]): string {
  const asking = rows.filter(
    ({ view, wantsDhcp }) => wantsDhcp && view.hasCarrier && view.lease === undefined,
  );
  if (asking.length > 0) {
    return `waiting for a DHCP answer on ${nameList(asking.map(({ view }) => view.name))}`;
  }
  const dark = rows.filter(({ view }) => !view.hasCarrier);
  if (dark.length === 0) return "waiting for the addresses of net.toml";
  return `waiting for carrier on ${nameList(dark.map(({ view }) => view.name))}`;
}
