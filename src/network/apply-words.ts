import { errorText } from "../base/errors.ts";
import type { NetworkChange } from "../sys/network-state.ts";

/** "eth0: cannot add 10.0.0.5/24: it exists already (EEXIST)". */
export function describeRefusal(change: NetworkChange, error: unknown): string {
  return `${describeChange(change)}: ${causeOf(error)}`;
}

/** Names of errors for which the kernel often gives no text of its own. Source: errno(3). */
const WORDS: Readonly<Record<string, string>> = {
  EACCES: "not allowed",
  EADDRNOTAVAIL: "there is no such address",
  EBUSY: "it is in use",
  EEXIST: "it exists already",
  EHOSTUNREACH: "its router cannot be reached",
  EINVAL: "the kernel does not take the value",
  ENETDOWN: "the interface is down",
  ENETUNREACH: "its router cannot be reached",
  ENOTSUP: "the kernel cannot do that",
  EOPNOTSUPP: "the kernel cannot do that",
  EPERM: "not permitted",
  ERANGE: "out of range",
  ESRCH: "there is no such route",
};

/** Texts have the form "Cannot WHAT: ERRNO[, TEXT OF THE KERNEL]"; what comes before has been said. */
function causeOf(error: unknown): string {
  const text = errorText(error);
  const at = text.indexOf(": ");
  const cause = text.startsWith("Cannot ") && at > 0 ? text.slice(at + 2) : text;
  const [, errno, own] = /^(E[A-Z0-9]+)(?:, (.+))?$/.exec(cause) ?? [];
  if (errno === undefined) return cause;
  const words = own ?? WORDS[errno];
  return words === undefined ? errno : `${words} (${errno})`;
}

/** "eth0: cannot add 10.0.0.5/24", for a change that was refused or does not last. */
export function describeChange(change: NetworkChange): string {
  switch (change.op) {
    case "link.add":
      return `${change.name}: cannot make the ${change.link.kind}`;
    case "link.delete":
      return `${change.name}: cannot delete the interface`;
    case "link.set":
      return `${change.name}: cannot ${describeSetting(change)}`;
    case "address.add":
      return `${change.interface}: cannot add ${change.address}/${change.prefix}`;
    case "address.remove":
      return `${change.interface}: cannot remove ${change.address}/${change.prefix}`;
    case "route.add":
    case "route.replace":
      return `${change.interface}: cannot set ${describeRoute(change)}`;
    case "route.remove":
      return `${change.interface}: cannot remove ${describeRoute(change)}`;
  }
}

function describeSetting(change: Extract<NetworkChange, { readonly op: "link.set" }>): string {
  if (change.mtu !== undefined) return `use MTU ${change.mtu}`;
  if (change.master === null) return "leave its bond or bridge";
  if (change.master !== undefined) return `become a member of ${change.master}`;
  return change.isUp === false ? "be set down" : "be set up";
}

function describeRoute({
  destination,
  gateway,
}: {
  readonly destination: string;
  readonly gateway: string | null;
}): string {
  const isDefault = destination === "0.0.0.0/0" || destination === "::/0";
  const what = isDefault ? "the default route" : `the route to ${destination}`;
  return gateway === null ? what : `${what} via ${gateway}`;
}
