import type { LinkState, NetworkChange, NewLink } from "../sys/network-state.ts";
import type { DesiredLink } from "./desired.ts";
import type { OwnedLink } from "./plan.ts";

type LinkChange = Extract<NetworkChange, { readonly name: string }>;

/**
 * Changes of links: those the agent made and that are not wanted so any more go, missing ones are
 * made, and those that are there are set: what a link rests on before the link itself.
 */
export function planLinks(
  desired: readonly DesiredLink[],
  state: readonly LinkState[],
  owned: readonly OwnedLink[],
): LinkChange[] {
  const wanted = new Map(desired.map((link) => [link.name, link]));
  const deletions = state.filter((link) => {
    const create = wanted.get(link.name)?.create ?? null;
    if (create !== null && isSame(create, link)) return false;
    return isOwned(link, owned) || (create !== null && isIdleBond(link, state));
  });
  const gone = new Set(deletions.map(({ name }) => name));
  // A VLAN goes with what it rests on.
  const left = state.filter(({ name, parent }) => !gone.has(name) && !gone.has(parent ?? ""));
  const there = new Map(left.map((link) => [link.name, link]));
  const ordered = inOrder(desired);
  return [
    ...inOrderOfDeletion(deletions).map(({ name }) => ({ op: "link.delete", name }) as const),
    ...ordered.flatMap((link) => addition(link, there, wanted)),
    ...ordered.flatMap((link) => settings(link, there, wanted)),
  ];
}

/** True for a link that the agent made, and not another one of that name. */
export function isOwned(link: LinkState, owned: readonly OwnedLink[]): boolean {
  return owned.some(
    ({ name, index }) => name === link.name && (index === null || index === link.index),
  );
}

function isSame(create: NewLink, link: LinkState): boolean {
  if (create.kind !== link.kind) return false;
  if (create.kind === "vlan") {
    return create.vlanId === link.vlanId && create.parent === link.parent;
  }
  return create.kind !== "bond" || create.mode === link.bondMode;
}

/** The module of bonds brings a bond0 that nobody asked for. */
function isIdleBond({ name, kind, isUp }: LinkState, state: readonly LinkState[]): boolean {
  return kind === "bond" && !isUp && !state.some(({ master }) => master === name);
}

/** What a link rests on must be there, or be made before it: otherwise it waits. */
function addition(
  { name, create }: DesiredLink,
  there: ReadonlyMap<string, LinkState>,
  wanted: ReadonlyMap<string, DesiredLink>,
): LinkChange[] {
  const present = there.get(name);
  // Somebody else's link of this name stays; the kernel's refusal says so.
  if (create === null || (present !== undefined && isSame(create, present))) return [];
  const parent = create.kind === "vlan" ? create.parent : null;
  const isPossible = parent === null || there.has(parent) || wanted.get(parent)?.create != null;
  return isPossible ? [{ op: "link.add", name, link: create }] : [];
}

function settings(
  { name, isUp, mtu, master, create }: DesiredLink,
  there: ReadonlyMap<string, LinkState>,
  wanted: ReadonlyMap<string, DesiredLink>,
): LinkChange[] {
  const link = there.get(name);
  if (link === undefined || (create !== null && !isSame(create, link))) return [];
  const changes: LinkChange[] = [];
  const set = (over: Omit<Extract<LinkChange, { op: "link.set" }>, "op" | "name">): void => {
    changes.push({ op: "link.set", name, ...over });
  };
  if (mtu !== null && mtu !== link.mtu) set({ mtu });
  let isNowUp = link.isUp;
  const isMoved = master !== undefined && master !== link.master;
  const target = master == null ? undefined : there.get(master);
  const form = wanted.get(master ?? "")?.create ?? null;
  // A member does not get into a link of somebody else that is in the way.
  const isReady = target !== undefined && (form === null || isSame(form, target));
  if (isMoved && (master === null || isReady)) {
    // A bond takes no link that is up, and sets those down that leave it. Source: bond_enslave().
    if (target?.kind === "bond" && link.isUp) set({ isUp: false });
    set({ master });
    const leavesBond = link.master !== null && there.get(link.master)?.kind === "bond";
    if (target?.kind === "bond" || leavesBond) isNowUp = false;
  }
  if (isUp !== isNowUp) set({ isUp });
  return changes;
}

/** Parents of VLANs and members before what is made of them. Cycles are refused with net.toml. */
function inOrder(desired: readonly DesiredLink[]): DesiredLink[] {
  const wanted = new Map(desired.map((link) => [link.name, link]));
  const ordered = new Set<DesiredLink>();
  const visit = (link: DesiredLink, above: ReadonlySet<string>): void => {
    if (ordered.has(link) || above.has(link.name)) return;
    const below = [
      ...(link.create?.kind === "vlan" ? [link.create.parent] : []),
      ...desired.filter(({ master }) => master === link.name).map(({ name }) => name),
    ];
    for (const name of below) {
      const other = wanted.get(name);
      if (other !== undefined) visit(other, new Set([...above, link.name]));
    }
    ordered.add(link);
  };
  for (const link of desired) visit(link, new Set());
  return [...ordered];
}

/** A VLAN before its parent: the kernel would take both at once, and refuse the second deletion. */
function inOrderOfDeletion(links: readonly LinkState[]): LinkState[] {
  const depth = (link: LinkState): number => {
    const parent = links.find(({ name }) => name === link.parent);
    return parent === undefined || parent === link ? 0 : 1 + depth(parent);
  };
  return [...links].sort((one, other) => depth(other) - depth(one));
}
