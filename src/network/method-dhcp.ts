import { type Candidate, chooseCandidate } from "./choose-candidate.ts";
import type { InterfaceRole } from "./interface-roles.ts";
import { isConfiguredElsewhere, type NetworkView, usableRoute } from "./network-view.ts";
import { describeReached } from "./reach-check.ts";
import {
  check,
  dhcpLimitMs,
  type MethodSuccess,
  record,
  rolesOf,
  type Search,
  targetName,
  viewsOf,
} from "./search.ts";
import { nameList } from "./search-report.ts";

/**
 * The second method: all interfaces ask for a lease at the same time, and are used one after the
 * other until one leads to a controller. The others keep what net.toml says.
 *
 * @returns Undefined when none of them worked; the report says why.
 */
export async function tryDhcp(search: Search): Promise<MethodSuccess | undefined> {
  const { clock, limits, sight, setup, clients, signal } = search;
  const tried = new Set(search.tested);
  const otherSinceMs = new Map<string, number>();
  for (;;) {
    const { view, roles } = await lookAtCandidates(search);
    const nowMs = clock.monotonicMs();
    const candidates = roles.map((role): Candidate => {
      const { name, hasCarrier } = role.view;
      // What net.toml sets up was the business of the first method.
      const isOurs = role.section !== null || role.wantsDhcp || role.view.lease !== undefined;
      if (isOurs || !isConfiguredElsewhere(view, role.view)) otherSinceMs.delete(name);
      else if (!otherSinceMs.has(name)) otherSinceMs.set(name, nowMs);
      return {
        name,
        hasCarrier,
        askingSinceMs: clients.askingSinceMs(name),
        leaseSinceMs: role.view.lease === undefined ? null : (clients.leaseSinceMs(name) ?? nowMs),
        otherSinceMs: otherSinceMs.get(name) ?? null,
        isTried: tried.has(name),
      };
    });
    const choice = chooseCandidate(candidates, {
      nowMs,
      dhcpMs: dhcpLimitMs(search),
      headStartMs: limits.headStartMs,
      carrierUntilMs: search.carrierUntilMs,
    });
    if (choice.action === "end") {
      recordSilent(search, roles, tried);
      // Where nothing could be tried (a pulled cable), what was in use stays for when it comes back.
      if (tried.size > 0) await setup.use(null);
      return undefined;
    }
    if (choice.action === "use") {
      tried.add(choice.name);
      const success = await tryCandidate(search, choice.name);
      if (success !== undefined) return success;
    } else {
      search.say(describeWaiting(roles, tried));
      await sight.next(choice.untilMs - nowMs, signal);
    }
  }
}

/** Ends the clients that are not needed any more; those net.toml asks for go on. */
export async function stopOtherClients(search: Search, chosen: string | null): Promise<void> {
  const { roles } = rolesOf(search, search.sight.peek());
  const names = roles
    .filter(({ view, wantsDhcp }) => !wantsDhcp && view.name !== chosen)
    .map(({ view }) => view.name);
  await search.clients.stop(names);
}

async function tryCandidate(search: Search, name: string): Promise<MethodSuccess | undefined> {
  const { setup, sight } = search;
  search.say(`${name}: looking for ${targetName(search)}`);
  await setup.use(name);
  const outcome = await check(search, { interface: name });
  const view = sight.look();
  const what = describeInterface(view, name);
  if (outcome.isReached) {
    const route = usableRoute(view, name);
    const text = describeReached({ what: `${name} ${what}`, route, check: outcome });
    record(search, name, "dhcp", {
      isReached: true,
      reason: `${what}, ${targetName(search)} reached`,
    });
    return { choice: { method: "dhcp", interface: name }, text };
  }
  record(search, name, "dhcp", { isReached: false, reason: `${what}, but ${outcome.reason}` });
  return undefined;
}

/** "10.0.2.15/24 by DHCP", or the addresses it has without. */
export function describeInterface(view: NetworkView, name: string): string {
  const one = view.interfaces.find((other) => other.name === name);
  if (one?.lease !== undefined) return `${one.lease.address}/${one.lease.prefix} by DHCP`;
  const addresses = one?.addresses.filter(({ scope }) => scope === "global") ?? [];
  const [first] = addresses;
  if (first === undefined) return "configured elsewhere";
  const text = `${first.address}/${first.prefix}`;
  return first.family === 6 ? `${text} by router advertisement` : `${text} configured elsewhere`;
}

/** Sets links up and starts clients where they are missing, then says what there is. */
async function lookAtCandidates(
  search: Search,
): Promise<{ view: NetworkView; roles: InterfaceRole[] }> {
  const { sight, setup, clients } = search;
  const find = (view: NetworkView): InterfaceRole[] =>
    rolesOf(search, view).roles.filter(({ isCandidate }) => isCandidate);
  let view = sight.look();
  if (setup.setUp(viewsOf(find(view)))) view = sight.look();
  const roles = find(view);
  await clients.keep(viewsOf(roles));
  return { view, roles };
}

/** Those that could not be used at all; interfaces without a cable are named last. */
function recordSilent(
  search: Search,
  roles: readonly InterfaceRole[],
  tried: ReadonlySet<string>,
): void {
  const silent = roles.filter(({ view }) => !tried.has(view.name));
  const sorted = silent.sort(
    (one, other) => Number(other.view.hasCarrier) - Number(one.view.hasCarrier),
  );
  for (const { view } of sorted) {
    record(search, view.name, "dhcp", { isReached: false, reason: silence(search, view) });
  }
  if (roles.length === 0) search.report.note(noCandidate(search));
}

function silence(search: Search, { name, isUp, hasCarrier }: InterfaceRole["view"]): string {
  if (!isUp) return "cannot be set up";
  if (!hasCarrier) return "no carrier";
  const sinceMs = search.clients.askingSinceMs(name);
  if (sinceMs === null) return "no DHCP client";
  const seconds = Math.round((search.clock.monotonicMs() - sinceMs) / 1000);
  return `no DHCP answer after ${seconds} s`;
}

function noCandidate(search: Search): string {
  const { roles } = rolesOf(search, search.sight.peek());
  const physical = roles.filter(({ view }) => view.isPhysical);
  if (physical.length === 0) return "no network interface found";
  return physical.every(({ protocol }) => protocol === "left alone")
    ? "noautonic= names every network interface"
    : "every network interface is to be left alone";
}

/** The same text for as long as nothing changes. */
function describeWaiting(roles: readonly InterfaceRole[], tried: ReadonlySet<string>): string {
  const left = roles.filter(({ view }) => !tried.has(view.name));
  const asking = left.filter(({ view }) => view.hasCarrier && view.lease === undefined);
  if (asking.length > 0) {
    return `waiting for a DHCP answer on ${nameList(asking.map(({ view }) => view.name))}`;
  }
  if (left.length === 0) return "waiting for a network interface";
  return `waiting for carrier on ${nameList(left.map(({ view }) => view.name))}`;
}
