import type { Clock } from "../base/clock.ts";
import type { JobIntake } from "../job/types.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Logger } from "../log/logger.ts";
import type { AccessRules } from "./access-rules.ts";
import type { Authenticator } from "./authenticator.ts";
import { CommandTable } from "./command-table.ts";
import type { Counters } from "./counters.ts";
import type { EndpointLimits } from "./endpoint-limits.ts";
import { InfoSections } from "./info-sections.ts";
import { jobCommand } from "./job-command.ts";
import { PushHub } from "./push-hub.ts";
import { blockingCommands } from "./redis/blocking-commands.ts";
import { clientCommands } from "./redis/client-commands.ts";
import { commandCommands } from "./redis/command-commands.ts";
import { connectionCommands } from "./redis/connection-commands.ts";
import { keyCommands } from "./redis/key-commands.ts";
import { listCommands } from "./redis/list-commands.ts";
import { pubsubCommands } from "./redis/pubsub-commands.ts";
import { type InfoSection, serverCommands } from "./redis/server-commands.ts";
import { stringCommands } from "./redis/string-commands.ts";
import type { CommandRegistry } from "./registry.ts";
import type { Session } from "./session.ts";
import type { TlsEntry } from "./tls-entry.ts";

export interface CommandTableOptions {
  readonly keyspace: Keyspace;
  readonly intake: JobIntake;
  readonly registry: CommandRegistry;
  readonly authenticator: Authenticator;
  readonly rules: AccessRules;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: EndpointLimits;
  readonly version: string;
  /** What clients can subscribe to; without it nothing ever happens. */
  readonly push?: PushHub;
  /** Sections of INFO that only a node has. */
  readonly nodeSections?: () => Readonly<Record<string, InfoSection>>;
  readonly tls?: TlsEntry | null;
  readonly sessions: () => Iterable<Session>;
  readonly port: () => number;
}

/** All commands of the endpoint: the protocol's own, the data commands, and every job. */
export function buildCommandTable(options: CommandTableOptions): CommandTable {
  const { keyspace, registry, intake, sessions } = options;
  const table = new CommandTable();
  const push = options.push ?? new PushHub(null, keyspace);
  const info = new InfoSections({ ...options, push, clients: () => countClients(sessions()) });
  table.add(connectionCommands(options));
  table.add(clientCommands(options));
  table.add(commandCommands(table));
  table.add(
    serverCommands({
      sections: () => info.read(),
      settings: () => settings(options),
    }),
  );
  table.add(keyCommands(keyspace));
  table.add(stringCommands(keyspace.strings));
  table.add(listCommands(keyspace.lists));
  table.add(blockingCommands(keyspace));
  table.add(pubsubCommands(push));
  table.add(registry.list().map((command) => jobCommand(command, intake, options.rules)));
  return table;
}

function countClients(sessions: Iterable<Session>): { connected: number; guests: number } {
  const all = [...sessions];
  return { connected: all.length, guests: all.filter((session) => !session.isMember).length };
}

/** Settings that tools of Redis ask for. */
function settings({ keyspace, limits, port }: CommandTableOptions): Record<string, string> {
  return {
    appendonly: "no",
    databases: "1",
    maxclients: String(limits.maxClients),
    maxmemory: String(keyspace.store.maxBytes),
    "maxmemory-policy": "noeviction",
    port: String(port()),
    "proto-max-bulk-len": String(limits.memberRequests.maxBulkBytes),
    save: "",
    timeout: String(limits.idleTimeoutMs / 1000),
  };
}
