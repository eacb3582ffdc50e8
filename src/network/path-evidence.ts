import type { AddressGuard } from "./address-guard.ts";
import type { NetworkView } from "./network-view.ts";
import { usableRoute } from "./network-view.ts";
import type { ReachCheck } from "./reach-check.ts";

export interface PathEvidenceParts {
  /** How the controllers were not reached. */
  readonly check: ReachCheck;
  readonly view: NetworkView;
  readonly guard: () => Promise<AddressGuard>;
  readonly signal: AbortSignal;
}

/** Reasons that only somebody at the other end of a working network can give. */
const ANSWERED = /^(connection (refused|reset|closed)|certificate|not a TLS server)/;
const PROBE_LIMIT_MS = 4000;

/**
 * Whether a network that once was good still is, although no controller is reached: then it is the
 * controllers that are away, and nothing is gained by taking the network from the machine.
 *
 * @returns How that is known, for example "gateway 10.0.2.2 answers"; undefined when it is not.
 */
export async function pathEvidence(parts: PathEvidenceParts): Promise<string | undefined> {
  const { check, view, guard, signal } = parts;
  const answered = check.results.find(({ reason }) => ANSWERED.test(reason));
  if (answered !== undefined) return `something answers at ${answered.target}`;
  const { gateway, interface: name } = usableRoute(view) ?? {};
  if (gateway === undefined || gateway === null || name === undefined) return undefined;
  if (!/^[0-9.]+$/.test(gateway) || gateway === "0.0.0.0") return undefined;
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PROBE_LIMIT_MS)]);
    const { isFree } = await (await guard()).probe(name, gateway, limit);
    return isFree ? undefined : `gateway ${gateway} answers`;
  } catch {
    signal.throwIfAborted();
    return undefined; // A link that cannot be asked proves nothing.
  }
}

/** A check that failed, taken for good because of what {@link pathEvidence} found. */
export function keptBy(check: ReachCheck, evidence: string): ReachCheck {
  return { ...check, isReached: true, reason: `${check.reason}; kept, because ${evidence}` };
}
