import { errorText } from "../base/errors.ts";
import { orAborted } from "../sequencer/wait.ts";
import { claimFallbackAddress, FALLBACK_CONTROLLER, FALLBACK_PREFIX } from "./fallback-address.ts";
import type { FallbackKeeper } from "./fallback-keeper.ts";
import type { InterfaceRole } from "./interface-roles.ts";
import { describeReached } from "./reach-check.ts";
import { check, type MethodSuccess, record, rolesOf, type Search } from "./search.ts";

/**
 * The third method: each interface with carrier in turn gets a free address of 10.254.254.0/24, and a
 * controller is looked for at 10.254.254.254.
 *
 * @returns Undefined when none of them led to one; the report says why.
 */
export async function tryFallback(
  search: Search,
  keeper: FallbackKeeper,
): Promise<MethodSuccess | undefined> {
  const { sight, setup, reach } = search;
  const { roles } = rolesOf(search, sight.look());
  if (reach.controllers === 0) {
    leaveOut(search, roles);
    return undefined;
  }
  const usable = roles.filter(({ isCandidate, view }) => isCandidate && view.hasCarrier);
  for (const { view } of usable) {
    const success = await tryFallbackOn(search, view.name, keeper);
    if (success !== undefined) return success;
  }
  keeper.end();
  await setup.useFallback(null);
  return undefined;
}

/** Also for a second address after the first one was lost: the interface is set up with what is free. */
export async function tryFallbackOn(
  search: Search,
  name: string,
  keeper: FallbackKeeper,
): Promise<MethodSuccess | undefined> {
  let what = "no free fallback address";
  try {
    const address = await claim(search, name, keeper);
    what = `${address}/${FALLBACK_PREFIX} as fallback`;
    await search.setup.useFallback({ interface: name, address });
    keeper.defend(await search.guard(), name, address);
    search.say(`${name}: looking for a controller at ${FALLBACK_CONTROLLER} from ${address}`);
    const outcome = await check(search, { interface: name, address: FALLBACK_CONTROLLER });
    const reason = outcome.isReached ? outcome.reason : `no controller at ${FALLBACK_CONTROLLER}`;
    record(search, name, "fallback", {
      isReached: outcome.isReached,
      reason: outcome.isReached
        ? `${what}, ${reason}`
        : `${reason} from ${address} (${outcome.reason})`,
    });
    if (!outcome.isReached) return undefined;
    const text = describeReached({ what: `${name} ${what}`, route: undefined, check: outcome });
    return { choice: { method: "fallback", interface: name, address }, text };
  } catch (error) {
    search.signal.throwIfAborted();
    record(search, name, "fallback", { isReached: false, reason: `${what}: ${errorText(error)}` });
    return undefined;
  }
}

/** Without a controller there is nobody to look for at the fallback address. */
function leaveOut(search: Search, roles: readonly InterfaceRole[]): void {
  const endMs = Math.round(search.clock.monotonicMs());
  const reason = "left out: no controller is configured";
  for (const { view, isCandidate } of roles) {
    if (!isCandidate) continue;
    search.report.add(view.name, { method: "fallback", isReached: false, reason, endMs }, true);
  }
}

/** A free address within the time limit. */
async function claim(search: Search, name: string, keeper: FallbackKeeper): Promise<string> {
  const { clock, limits, log, random } = search;
  search.say(`${name}: looking for a free address in 10.254.254.0/24`);
  const limit = new AbortController();
  const message = `no free one found within ${limits.claimMs / 1000} s`;
  const disarm = clock.after(limits.claimMs, () => limit.abort(new Error(message)));
  const signal = AbortSignal.any([search.signal, limit.signal]);
  try {
    const guard = await search.guard();
    const claimed = claimFallbackAddress({
      guard,
      interface: name,
      clock,
      random,
      signal,
      preferred: keeper.preferred(name),
      conflicts: keeper.conflicts(name),
      onConflict: (conflict) =>
        log.info("fallback address is taken", { interface: name, ...conflict }),
    });
    return (await orAborted(claimed, signal)).address;
  } finally {
    disarm();
  }
}
