import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Files } from "../sys/files.ts";
import type { KernelNetwork, NetworkChange, NetworkState } from "../sys/network-state.ts";
import { applySettings } from "./apply-settings.ts";
import { ownedAfterLook, readOwned, writeOwned } from "./apply-state.ts";
import { describeChange, describeRefusal } from "./apply-words.ts";
import type { DesiredNetwork } from "./desired.ts";
import { addressKey, type OwnedAddress, type OwnedNetwork, planNetwork } from "./plan.ts";

export interface ApplyNetworkOptions {
  readonly kernel: KernelNetwork;
  readonly files: Files;
  /** A function is asked again after links were made: metrics and hardware addresses depend on them. */
  readonly desired: DesiredNetwork | ((state: NetworkState) => DesiredNetwork);
  readonly log: Logger;
  /**
   * Loads a kernel module with parameters such as `max_bonds=0`. Called once before the first VLAN,
   * bond or bridge is made; a failure shows when the kernel refuses the link.
   */
  readonly loadModule?: (name: string, parameters: readonly string[]) => void | Promise<void>;
  /** Addresses of leases, in use or not: taken away where they are not desired, like the agent's own. */
  readonly leased?: readonly OwnedAddress[];
  /** What the agent made, for the next one. Default {@link NETWORK_STATE_FILE}. */
  readonly stateFile?: string;
}

export interface AppliedNetwork {
  /** Changes the kernel took, settings in /proc/sys included. */
  readonly changes: number;
  /** One line each for what is not as desired now. */
  readonly problems: readonly string[];
}

export const NETWORK_STATE_FILE = "/run/node0/network.json";

/** Links, what is on them, and what vanished because of another change; one more in reserve. */
const MAX_ROUNDS = 4;

/** Modules by kind of link. The module of bonds would bring a bond0 of its own. */
const MODULES: Readonly<Record<string, { name: string; parameters: readonly string[] }>> = {
  vlan: { name: "8021q", parameters: [] },
  bond: { name: "bonding", parameters: ["max_bonds=0"] },
  bridge: { name: "bridge", parameters: [] },
};

/**
 * Makes the network of the kernel what is desired: plans, carries the plan out, looks again, until
 * nothing is left to do. A change that is refused is a problem and does not stop the others.
 */
export async function applyNetwork(options: ApplyNetworkOptions): Promise<AppliedNetwork> {
  const { kernel, files, log, leased = [], stateFile = NETWORK_STATE_FILE } = options;
  const modules = new Set<string>();
  let owned = readOwned(files, stateFile);
  let refusals: ReadonlyMap<string, string> = new Map();
  let changes = 0;
  for (let round = 1; ; round += 1) {
    const state = kernel.observe();
    const desired =
      typeof options.desired === "function" ? options.desired(state) : options.desired;
    const known = { ...owned, addresses: [...owned.addresses, ...leased] };
    const plan = planNetwork(desired, state, known);
    const settings = applySettings({ files, desired, state, plan });
    changes += settings.changes;
    const isOver = plan.length === 0 || round > MAX_ROUNDS;
    owned = ownedAfterLook(owned, { desired, state, plan: isOver ? [] : plan });
    save(owned, { files, log, stateFile });
    const outcome = isOver ? undefined : await carryOut(plan, options, modules);
    changes += outcome?.made ?? 0;
    refusals = outcome?.refusals ?? refusals;
    // Where nothing was taken, the same would be refused again.
    if (outcome !== undefined && outcome.made > 0) continue;
    save(ownedAfterLook(owned, { desired, state, plan: [] }), { files, log, stateFile });
    const undone = plan.map((change) => {
      const text = describeChange(change);
      return refusals.get(text) ?? `${text}: does not last`;
    });
    const problems = [...settings.problems, ...duplicates(desired, state), ...undone];
    if (changes > 0) log.info("network set up", { changes, problems });
    return { changes, problems };
  }
}

/** @returns The number of changes that were made, and for the others what stood against them. */
async function carryOut(
  plan: readonly NetworkChange[],
  { kernel, files, log, loadModule }: ApplyNetworkOptions,
  modules: Set<string>,
): Promise<{ readonly made: number; readonly refusals: ReadonlyMap<string, string> }> {
  const refusals = new Map<string, string>();
  let made = 0;
  for (const change of plan) {
    const module = change.op === "link.add" ? MODULES[change.link.kind] : undefined;
    if (module !== undefined && loadModule !== undefined && !modules.has(module.name)) {
      modules.add(module.name);
      await ensureModule(module, { files, log, loadModule });
    }
    try {
      kernel.apply(change);
      log.debug("network changed", { change });
      made += 1;
    } catch (error) {
      if (isDone(change, error)) made += 1;
      else refusals.set(describeChange(change), describeRefusal(change, error));
    }
  }
  return { made, refusals };
}

/** Asking the kernel for a kind it does not know would load the module without its parameters. */
async function ensureModule(
  { name, parameters }: { readonly name: string; readonly parameters: readonly string[] },
  {
    files,
    log,
    loadModule,
  }: Pick<ApplyNetworkOptions, "files" | "log"> & Required<Pick<ApplyNetworkOptions, "loadModule">>,
): Promise<void> {
  if (files.exists(`/sys/module/${name}`)) return;
  try {
    await loadModule(name, parameters);
  } catch (error) {
    log.warn("kernel module cannot be loaded", { module: name, cause: errorText(error) });
  }
}

/** Somebody, or another change, was quicker. */
function isDone(change: NetworkChange, error: unknown): boolean {
  const errno = (error as { fields?: { errno?: unknown } }).fields?.errno;
  if (change.op === "address.add") return errno === "EEXIST";
  if (change.op === "address.remove") return errno === "EADDRNOTAVAIL";
  return change.op === "route.remove" && errno === "ESRCH";
}

function save(
  owned: OwnedNetwork,
  { files, stateFile, log }: { files: Files; stateFile: string; log: Logger },
): void {
  try {
    writeOwned(files, stateFile, owned);
  } catch (error) {
    log.warn("network state cannot be kept", { path: stateFile, cause: errorText(error) });
  }
}

/** Addresses of IPv6 that the kernel found at another machine. */
function duplicates(desired: DesiredNetwork, state: NetworkState): string[] {
  const wanted = new Set(desired.addresses.map(addressKey));
  return state.addresses
    .filter((one) => one.isDuplicate && wanted.has(addressKey(one)))
    .map(({ interface: name, address }) => `${name}: ${address} is in use by another machine`);
}
