import type { Files } from "../sys/files.ts";
import { type BridgeSettings, clientAddress, parseBridge } from "./bridge-settings.ts";

/** An address that is kept for one client. */
export interface BridgeHost {
  /** Lower case with colons. */
  readonly mac: string;
  readonly ip: string;
}

/** What the agent knows of a bridge it made; what the kernel knows is not repeated. */
export interface BridgeRecord extends BridgeSettings {
  readonly hosts: readonly BridgeHost[];
}

/**
 * The bridges the agent made since the boot, for an agent that starts again: the kernel keeps the
 * bridges, but knows nothing of their name servers.
 */
export class BridgeRecords {
  readonly #files: Files;
  readonly #path: string;

  constructor(files: Files, stateDir: string) {
    this.#files = files;
    this.#path = bridgeRecordsFile(stateDir);
  }

  /** Empty also for a file of an earlier boot, or one that cannot be used. */
  read(): BridgeRecord[] {
    const text = this.#files.readText(this.#path);
    if (text === undefined) return [];
    try {
      const { boot, bridges } = JSON.parse(text) as { boot: unknown; bridges: BridgeRecord[] };
      return boot === this.#boot() ? bridges.map(checkRecord) : [];
    } catch {
      return []; // Written by this program alone: whatever else is in it is worth nothing.
    }
  }

  find(name: string): BridgeRecord | undefined {
    return this.read().find((record) => record.name === name);
  }

  /** Adds it, or takes the place of the one of the same name. */
  put(record: BridgeRecord): void {
    this.#write([...this.read().filter(({ name }) => name !== record.name), record]);
  }

  remove(name: string): void {
    this.#write(this.read().filter((record) => record.name !== name));
  }

  #write(bridges: readonly BridgeRecord[]): void {
    this.#files.replaceText(this.#path, `${JSON.stringify({ boot: this.#boot(), bridges })}\n`);
  }

  #boot(): string {
    return this.#files.readText("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
  }
}

export function bridgeRecordsFile(stateDir: string): string {
  return `${stateDir}/bridges.json`;
}

/** What is read becomes part of a configuration and of rules. */
function checkRecord(record: BridgeRecord): BridgeRecord {
  const { cidr, start, end } = record;
  const settings = parseBridge({ ...record, settings: { cidr, start, end } });
  const hosts = record.hosts.map(({ mac, ip }) => {
    if (!/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(mac)) throw new RangeError("bad MAC address");
    return { mac, ip: clientAddress(settings, ip) };
  });
  return { ...settings, hosts };
}
