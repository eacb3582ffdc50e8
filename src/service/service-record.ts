import type { ProcessName } from "./host.ts";

/** The running daemon of a service, as the next agent finds it in `/run/node0/services/<name>.json`. */
export interface ServiceRecord extends ProcessName {
  readonly bootId: string;
}

export function formatServiceRecord({ pid, startTicks, bootId }: ServiceRecord): string {
  return `${JSON.stringify({ pid, startTicks, bootId })}\n`;
}

/** Undefined for a text that is no record: whoever wrote it, it names no process. */
export function parseServiceRecord(text: string): ServiceRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { pid, startTicks, bootId } = (value ?? {}) as Record<string, unknown>;
  if (!isWhole(pid) || pid <= 1 || !isWhole(startTicks) || typeof bootId !== "string") {
    return undefined;
  }
  return { pid, startTicks, bootId };
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
