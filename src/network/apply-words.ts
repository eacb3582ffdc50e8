import { errorText } from "../base/errors.ts";
import type { NetworkChange } from "../sys/network-state.ts";

/** "eth0: cannot add 10.0.0.5/24: ENODEV, No such device". */
export function describeRefusal(change: NetworkChange, error: unknown): string {
  const text = errorText(error);
  // What comes before has been said.
  const at = text.indexOf(": ");
  const cause = text.startsWith("Cannot ") && at > 0 ? text.slice(at + 2) : text;
  return `${describeChange(change)}: ${cause}`;
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
