import { FALLBACK_CONTROLLER, FALLBACK_PREFIX } from "./fallback-address.ts";
import type { FallbackKeeper } from "./fallback-keeper.ts";
import { hasInterfaceConfig } from "./interface-roles.ts";
import { describeInterface } from "./method-dhcp.ts";
import type { NetworkChoice } from "./network-choice.ts";
import { isConfiguredElsewhere, usableRoute } from "./network-view.ts";
import { describeReached } from "./reach-check.ts";
import {
  check,
  type MethodSuccess,
  reachedWords,
  record,
  rolesOf,
  type Search,
  targetName,
} from "./search.ts";

/**
 * Before the methods: what was found before (by an earlier agent, or by the clients that start with the
 * machine) is kept when it still works, and nothing is changed then.
 *
 * @param known What was found; undefined where nothing is written down.
 * @returns Undefined when there is nothing to keep: the methods begin.
 */
export async function keepChoice(
  search: Search,
  known: NetworkChoice | undefined,
  fallback: FallbackKeeper,
): Promise<MethodSuccess | undefined> {
  const choice = known ?? markedChoice(search);
  if (choice === undefined || choice.method === "config") return undefined;
  const { roles } = rolesOf(search, search.sight.look());
  const role = roles.find(({ view }) => view.name === choice.interface);
  if (role === undefined || !role.isCandidate || !role.view.hasCarrier) return undefined;
  return choice.method === "dhcp"
    ? keepLease(search, choice.interface)
    : keepFallback(search, choice, fallback);
}

/** The interface whose lease is in use since before the agent; only where net.toml says nothing. */
function markedChoice(search: Search): NetworkChoice | undefined {
  if (hasInterfaceConfig(search.loaded.config)) return undefined;
  const { roles } = rolesOf(search, search.sight.look());
  const marked = roles.find(
    ({ view, isCandidate }) =>
      isCandidate && view.lease !== undefined && search.setup.markOf(view.name) !== null,
  );
  return marked === undefined ? undefined : { method: "dhcp", interface: marked.view.name };
}

async function keepLease(search: Search, name: string): Promise<MethodSuccess | undefined> {
  const { sight, setup, clients } = search;
  const view = sight.look();
  const one = view.interfaces.find((other) => other.name === name);
  if (one === undefined) return undefined;
  if (one.lease === undefined && !isConfiguredElsewhere(view, one)) return undefined;
  // A client that asks again where the cable came back; the old lease is used until it knows better.
  await clients.keep([one]);
  await setup.use(name);
  search.say(`${name}: looking for ${targetName(search)}`);
  const outcome = await check(search, { interface: name });
  const current = sight.look();
  const what = describeInterface(current, name);
  const reason = outcome.isReached
    ? `${what}, ${reachedWords(search, outcome)}`
    : `${what}, but ${outcome.reason}`;
  record(search, name, "dhcp", { isReached: outcome.isReached, reason });
  if (!outcome.isReached) {
    // The second method would ask the same question again at once.
    if (!hasInterfaceConfig(search.loaded.config)) search.tested.add(name);
    return undefined;
  }
  const route = usableRoute(current, name);
  const text = describeReached({ what: `${name} ${what}`, route, check: outcome });
  return { choice: { method: "dhcp", interface: name }, text };
}

async function keepFallback(
  search: Search,
  choice: Extract<NetworkChoice, { method: "fallback" }>,
  fallback: FallbackKeeper,
): Promise<MethodSuccess | undefined> {
  const { sight, setup } = search;
  const { interface: name, address } = choice;
  fallback.prefer(name, address);
  if (search.reach.controllers === 0) return undefined;
  await sight.kernel();
  const one = sight.look().interfaces.find((other) => other.name === name);
  // Once it was away, somebody else may have taken it: it has to be probed for again.
  const isOurs = one?.addresses.some((other) => other.address === address) ?? false;
  if (!isOurs) return undefined;
  await setup.useFallback({ interface: name, address });
  fallback.defend(await search.guard(), name, address);
  search.say(`${name}: looking for a controller at ${FALLBACK_CONTROLLER} from ${address}`);
  const outcome = await check(search, { interface: name, address: FALLBACK_CONTROLLER });
  if (!outcome.isReached) {
    fallback.end();
    await setup.useFallback(null);
    return undefined;
  }
  const what = `${address}/${FALLBACK_PREFIX} as fallback`;
  record(search, name, "fallback", { isReached: true, reason: `${what}, ${outcome.reason}` });
  const text = describeReached({ what: `${name} ${what}`, route: undefined, check: outcome });
  return { choice, text };
}
