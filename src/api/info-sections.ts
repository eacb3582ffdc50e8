import type { Clock } from "../base/clock.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Counters } from "./counters.ts";
import type { EndpointLimits } from "./endpoint-limits.ts";
import type { InfoSection } from "./redis/server-commands.ts";

/** The Redis release whose behaviour is followed; some clients choose features by it. */
export const REDIS_VERSION = "7.0.15";

export interface InfoSources {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly keyspace: Keyspace;
  readonly limits: EndpointLimits;
  readonly startedMs: number;
  readonly version: string;
  readonly port: () => number;
  readonly clients: () => { connected: number; guests: number };
}

/** The sections of INFO, with the names clients of Redis know. */
export function infoSections(sources: InfoSources): Readonly<Record<string, InfoSection>> {
  const { clock, counters, keyspace, limits } = sources;
  const { store } = keyspace;
  const uptimeS = Math.floor((clock.monotonicMs() - sources.startedMs) / 1000);
  const { connected, guests } = sources.clients();
  const memory = process.memoryUsage();
  return {
    server: {
      redis_version: REDIS_VERSION,
      redis_mode: "standalone",
      node0_version: sources.version,
      os: `${process.platform} ${process.arch}`,
      arch_bits: 64,
      process_id: process.pid,
      tcp_port: sources.port(),
      uptime_in_seconds: uptimeS,
      uptime_in_days: Math.floor(uptimeS / 86_400),
    },
    clients: {
      connected_clients: connected,
      unauthenticated_clients: guests,
      maxclients: limits.maxClients,
      blocked_clients: keyspace.blocking.waiterCount,
    },
    memory: {
      used_memory: store.usedBytes,
      used_memory_rss: memory.rss,
      used_memory_heap: memory.heapUsed,
      maxmemory: store.maxBytes,
      maxmemory_policy: "noeviction",
    },
    persistence: { loading: 0, rdb_changes_since_last_save: 0 },
    stats: {
      total_connections_received: counters.connections,
      total_commands_processed: counters.commands,
      total_net_input_bytes: counters.inputBytes,
      total_net_output_bytes: counters.outputBytes,
      total_error_replies: counters.errors,
      rejected_connections: counters.rejectedConnections,
      expired_keys: store.expiredCount,
      authentication_failures: counters.authenticationFailures,
      protocol_errors: counters.protocolErrors,
      slow_readers_closed: counters.slowReadersClosed,
    },
    replication: { role: "master", connected_slaves: 0 },
    keyspace:
      store.size === 0
        ? {}
        : { db0: `keys=${store.size},expires=${store.expiringCount},avg_ttl=0` },
  };
}
