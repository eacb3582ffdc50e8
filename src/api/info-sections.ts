import { randomBytes } from "node:crypto";
import { release, totalmem } from "node:os";
import type { Clock } from "../base/clock.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Counters } from "./counters.ts";
import type { EndpointLimits } from "./endpoint-limits.ts";
import type { PushHub } from "./push-hub.ts";
import type { InfoSection } from "./redis/server-commands.ts";
import type { TlsEntry } from "./tls-entry.ts";

/** The Redis release whose behaviour is followed; some clients choose features by it. */
export const REDIS_VERSION = "7.0.15";

export interface InfoSources {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly keyspace: Keyspace;
  readonly limits: EndpointLimits;
  readonly push: PushHub;
  readonly version: string;
  readonly port: () => number;
  readonly tls?: TlsEntry | null;
  readonly clients: () => { connected: number; guests: number };
  /** What only a node has, behind the sections of Redis. */
  readonly nodeSections?: () => Readonly<Record<string, InfoSection>>;
}

type Sections = Readonly<Record<string, InfoSection>>;

/** The sections of INFO, with the names clients of Redis know; what the node does not have is 0. */
export class InfoSections {
  readonly #sources: InfoSources;
  readonly #startedMs: number;
  readonly #rate: Rate;
  /** Names this life of the agent, as Redis names each of its own. Made when asked for: loading what makes it takes 7 ms. */
  #runId: string | undefined;

  constructor(sources: InfoSources) {
    this.#sources = sources;
    this.#startedMs = sources.clock.monotonicMs();
    this.#rate = new Rate(sources.clock);
  }

  #nameRun(): string {
    this.#runId ??= randomBytes(20).toString("hex");
    return this.#runId;
  }

  read(): Sections {
    const { keyspace, nodeSections } = this.#sources;
    const { store } = keyspace;
    return {
      server: this.#server(),
      clients: this.#clients(),
      memory: this.#memory(),
      persistence: PERSISTENCE,
      stats: this.#stats(),
      tls: tlsSection(this.#sources.tls),
      replication: REPLICATION,
      cpu: cpu(),
      modules: {},
      errorstats: {},
      cluster: { cluster_enabled: 0 },
      keyspace:
        store.size === 0
          ? {}
          : { db0: `keys=${store.size},expires=${store.expiringCount},avg_ttl=0` },
      ...nodeSections?.(),
    };
  }

  #server(): InfoSection {
    const { clock, version, port } = this.#sources;
    const uptimeS = Math.floor((clock.monotonicMs() - this.#startedMs) / 1000);
    return {
      redis_version: REDIS_VERSION,
      redis_git_sha1: "00000000",
      redis_git_dirty: 0,
      redis_build_id: 0,
      redis_mode: "standalone",
      node0_version: version,
      node_version: process.versions.node,
      os: `Linux ${release()} ${process.arch}`,
      arch_bits: 64,
      multiplexing_api: "epoll",
      process_id: process.pid,
      process_supervised: "no",
      run_id: this.#nameRun(),
      tcp_port: port(),
      server_time_usec: String(clock.wallNs() / 1000n),
      uptime_in_seconds: uptimeS,
      uptime_in_days: Math.floor(uptimeS / SECONDS_PER_DAY),
      executable: process.execPath,
      config_file: "",
    };
  }

  #clients(): InfoSection {
    const { clients, limits, keyspace, push } = this.#sources;
    const { connected, guests } = clients();
    return {
      connected_clients: connected,
      cluster_connections: 0,
      unauthenticated_clients: guests,
      maxclients: limits.maxClients,
      blocked_clients: keyspace.blocking.waiterCount,
      tracking_clients: 0,
      clients_in_timeout_table: 0,
      pubsub_clients: push.subscriberCount,
    };
  }

  #memory(): InfoSection {
    const { usedBytes, maxBytes } = this.#sources.keyspace.store;
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    const total = totalmem();
    return {
      used_memory: usedBytes,
      used_memory_human: human(usedBytes),
      used_memory_rss: rss,
      used_memory_rss_human: human(rss),
      used_memory_heap: heapUsed,
      used_memory_heap_total: heapTotal,
      used_memory_external: external,
      total_system_memory: total,
      total_system_memory_human: human(total),
      maxmemory: maxBytes,
      maxmemory_human: human(maxBytes),
      maxmemory_policy: "noeviction",
      mem_allocator: "v8",
    };
  }

  #stats(): InfoSection {
    const { counters, keyspace, push } = this.#sources;
    const { channels } = push;
    return {
      total_connections_received: counters.connections,
      total_commands_processed: counters.commands,
      instantaneous_ops_per_sec: this.#rate.of(counters.commands),
      total_net_input_bytes: counters.inputBytes,
      total_net_output_bytes: counters.outputBytes,
      total_error_replies: counters.errors,
      rejected_connections: counters.rejectedConnections,
      expired_keys: keyspace.store.expiredCount,
      evicted_keys: 0,
      evicted_clients: counters.slowReadersClosed,
      pubsub_channels: channels.names().length,
      pubsub_patterns: channels.patternCount,
      latest_fork_usec: 0,
      acl_access_denied_auth: counters.authenticationFailures,
      acl_access_denied_cmd: counters.permissionsDenied,
      authentication_failures: counters.authenticationFailures,
      lockouts: counters.lockouts,
      locked_attempts: counters.lockedAttempts,
      login_timeouts: counters.guestTimeouts,
      idle_clients_closed: counters.idleClosed,
      tls_connections: counters.tlsConnections,
      tls_failures: counters.tlsFailures,
      plain_refused: counters.plainRefused,
      protocol_errors: counters.protocolErrors,
      slow_readers_closed: counters.slowReadersClosed,
      pushes: counters.pushes,
      pushes_dropped: counters.pushesDropped,
    };
  }
}

/** Changes per second between two readings that are at least a second apart. */
class Rate {
  readonly #clock: Clock;
  #sinceMs: number;
  #count = 0;
  #perSecond = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  of(count: number): number {
    const nowMs = this.#clock.monotonicMs();
    const spentMs = nowMs - this.#sinceMs;
    if (spentMs >= 1000) {
      this.#perSecond = Math.round(((count - this.#count) * 1000) / spentMs);
      this.#sinceMs = nowMs;
      this.#count = count;
    }
    return this.#perSecond;
  }
}

const SECONDS_PER_DAY = 86_400;

/** Nothing is ever written to a disk. */
const PERSISTENCE: InfoSection = {
  loading: 0,
  async_loading: 0,
  rdb_changes_since_last_save: 0,
  rdb_bgsave_in_progress: 0,
  rdb_last_save_time: 0,
  rdb_last_bgsave_status: "ok",
  aof_enabled: 0,
  aof_rewrite_in_progress: 0,
  aof_last_write_status: "ok",
};

const REPLICATION: InfoSection = {
  role: "master",
  connected_slaves: 0,
  master_failover_state: "no-failover",
  master_replid: "0".repeat(40),
  master_repl_offset: 0,
  second_repl_offset: -1,
  repl_backlog_active: 0,
};

function cpu(): InfoSection {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  return {
    used_cpu_sys: (systemCPUTime / 1e6).toFixed(6),
    used_cpu_user: (userCPUTime / 1e6).toFixed(6),
  };
}

/** As Redis shows sizes: `1.50M`. */
function human(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10));
  if (power === 0) return `${bytes}B`;
  return `${(bytes / 1024 ** power).toFixed(2)}${"BKMGT".charAt(power)}`;
}

/** Without a certificate before the first client asked for one. */
const tlsSection = (tls: TlsEntry | null | undefined): InfoSection => ({
  tls_mode: tls?.mode ?? "off",
  tls_certificate: tls?.certificate?.origin ?? "",
  tls_fingerprint: tls?.certificate?.fingerprint ?? "",
});
