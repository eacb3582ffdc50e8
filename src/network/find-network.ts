import { AgentError } from "../base/errors.ts";
import type { FallbackKeeper } from "./fallback-keeper.ts";
import { hasInterfaceConfig } from "./interface-roles.ts";
import { keepChoice } from "./method-again.ts";
import { tryConfig } from "./method-config.ts";
import { tryDhcp } from "./method-dhcp.ts";
import { tryFallback } from "./method-fallback.ts";
import type { NetworkChoice } from "./network-choice.ts";
import type { MethodSuccess, Search } from "./search.ts";
import type { NetworkMethod } from "./status.ts";

export interface FindParts {
  /** What was found before; undefined on a fresh machine. */
  readonly known: NetworkChoice | undefined;
  /** Whether it may still be good. */
  readonly mayKeep: boolean;
  readonly fallback: FallbackKeeper;
  readonly onMethod: (method: NetworkMethod) => void;
}

/**
 * One round: what was found before, if that still stands, then the methods in their order.
 *
 * @throws AgentError `E_NETWORK_UNREACHED` with what was tried where; the reason of the signal.
 */
export async function findNetwork(search: Search, parts: FindParts): Promise<MethodSuccess> {
  const { known, mayKeep, fallback, onMethod } = parts;
  // Sections of net.toml mean interfaces by what only netlink shows.
  if (hasInterfaceConfig(search.loaded.config)) await search.sight.kernel();
  const proven = { ...search, isProven: true };
  const before = known === undefined ? search : proven;
  const kept = mayKeep ? await keepChoice(before, known, fallback) : undefined;
  if (kept !== undefined) return kept;
  fallback.end();
  if (known?.method === "fallback") await search.setup.useFallback(null);
  const isConfigKept = mayKeep && known?.method === "config";
  const methods: readonly (readonly [NetworkMethod, () => Promise<MethodSuccess | undefined>])[] = [
    ["config", () => tryConfig(isConfigKept ? proven : search)],
    ["dhcp", () => tryDhcp(search)],
    // Nothing better was found: what worked before goes before an address that reaches nobody else.
    ["dhcp", async () => (mayKeep ? undefined : goBack(proven, known, fallback))],
    ["fallback", () => tryFallback(search, fallback)],
  ];
  for (const [method, run] of methods) {
    onMethod(method);
    const success = await run();
    if (success !== undefined) return success;
  }
  throw new AgentError("E_NETWORK_UNREACHED", search.report.trouble());
}

async function goBack(
  search: Search,
  known: NetworkChoice | undefined,
  fallback: FallbackKeeper,
): Promise<MethodSuccess | undefined> {
  if (known?.method === "config") return tryConfig(search);
  return known?.method === "dhcp" ? keepChoice(search, known, fallback) : undefined;
}
