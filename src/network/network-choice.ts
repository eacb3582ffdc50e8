/** What the search for a network ended with. */
export type NetworkChoice =
  | { readonly method: "config" }
  /** The interface whose lease (or addresses by router advertisement) is in use. */
  | { readonly method: "dhcp"; readonly interface: string }
  | { readonly method: "fallback"; readonly interface: string; readonly address: string };

/** Text of the state file that lets the next agent find the choice again. */
export function formatChoice(choice: NetworkChoice): string {
  return `${JSON.stringify(choice)}\n`;
}

/** Undefined for anything that is not such a text: the search then begins as on a fresh machine. */
export function parseChoice(text: string | undefined): NetworkChoice | undefined {
  let value: Readonly<Record<string, unknown>>;
  try {
    value = JSON.parse(text ?? "null") ?? {};
  } catch {
    return undefined;
  }
  const { method, interface: name, address } = value;
  if (method === "config") return { method };
  if (typeof name !== "string" || !INTERFACE.test(name)) return undefined;
  if (method === "dhcp") return { method, interface: name };
  if (method !== "fallback" || typeof address !== "string") return undefined;
  return FALLBACK.test(address) ? { method, interface: name, address } : undefined;
}

/** Kernel names have at most 15 bytes; these become parts of paths. */
const INTERFACE = /^[\w.:@-]{1,15}$/;
const FALLBACK = /^10\.254\.254\.\d{1,3}$/;
