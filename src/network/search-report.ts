import type { NetworkMethod, TriedMethod } from "./status.ts";

const SHOWN = 4;
const METHODS: readonly NetworkMethod[] = ["config", "dhcp", "fallback"];

/** What was tried where, for `net.status` and for the one line that says why there is no network. */
export class SearchReport {
  /** Interface, then method. Kept over rounds: a later try of the same method replaces the earlier. */
  readonly #tried = new Map<string, Map<NetworkMethod, TriedMethod>>();
  /** Of the round under way, in the order of their first failure. */
  readonly #failures = new Map<string, string[]>();
  #notes: string[] = [];

  beginRound(): void {
    this.#failures.clear();
    this.#notes = [];
  }

  /** @param isLeftOut The method was not tried at all: nothing for the line of failures. */
  add(name: string, tried: TriedMethod, isLeftOut = false): void {
    const methods = this.#tried.get(name) ?? new Map<NetworkMethod, TriedMethod>();
    methods.set(tried.method, tried);
    this.#tried.set(name, methods);
    if (tried.isReached || isLeftOut) return;
    const reasons = this.#failures.get(name) ?? [];
    if (!reasons.includes(tried.reason)) reasons.push(tried.reason);
    this.#failures.set(name, reasons);
  }

  /** Something about the round as a whole, for example why a method was left out. */
  note(text: string): void {
    if (!this.#notes.includes(text)) this.#notes.push(text);
  }

  /** In the order of the methods. */
  tried(name: string): TriedMethod[] {
    const methods = this.#tried.get(name);
    return METHODS.flatMap((method) => methods?.get(method) ?? []);
  }

  /** Reason of the round under way for one interface; empty without any. */
  failure(name: string): string {
    return (this.#failures.get(name) ?? []).join(", ");
  }

  /** "eth0: no carrier; eth1: no DHCP answer after 15 s", the first four interfaces and how many more. */
  trouble(): string {
    const clauses = [...this.#failures].map(([name, reasons]) => `${name}: ${reasons.join(", ")}`);
    const shown = clauses.slice(0, SHOWN);
    if (clauses.length > SHOWN) shown.push(`and ${clauses.length - SHOWN} more`);
    return [...shown, ...this.#notes].join("; ") || "no network interface found";
  }
}

/** "a, b, c", or the first four and how many more. */
export function nameList(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join(", ");
  return names.length > SHOWN ? `${shown} and ${names.length - SHOWN} more` : shown;
}
