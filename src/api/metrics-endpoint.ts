import type { Keyspace } from "../keyspace/keyspace.ts";
import { byLabel, counter, gauge, type MetricFamily } from "../metrics/family.ts";
import type { Counters } from "./counters.ts";
import type { PushHub } from "./push-hub.ts";

export interface EndpointSources {
  readonly endpoint: { readonly counters: Counters; readonly connectionCount: number };
  readonly maxClients: number;
  readonly keyspace: Keyspace;
  readonly push: PushHub;
}

/** The Redis endpoint: clients and what they do. */
export function endpointMetrics(sources: EndpointSources): MetricFamily[] {
  const { endpoint, maxClients, push } = sources;
  const { counters } = endpoint;
  const totals = TOTALS.map(([member, name, help]) => counter(name, help, counters[member]));
  return [
    gauge("node0_endpoint_clients", "Open connections.", endpoint.connectionCount),
    gauge("node0_endpoint_clients_max", "Connections allowed over the network.", maxClients),
    gauge(
      "node0_endpoint_unauthenticated_bytes",
      "Bytes of unfinished requests of connections that have not authenticated.",
      counters.guestBytes,
    ),
    ...totals,
    gauge("node0_push_subscribers", "Connections with subscriptions.", push.subscriberCount),
    gauge(
      "node0_push_subscriptions",
      "Subscriptions of all connections.",
      push.channels.subscriptionCount,
    ),
  ];
}

/** What the endpoint counts, with the metric that shows it. */
const TOTALS: readonly (readonly [keyof Counters, name: string, help: string])[] = [
  ["connections", "node0_endpoint_connections_total", "Connections accepted."],
  [
    "rejectedConnections",
    "node0_endpoint_rejected_connections_total",
    "Connections refused because too many were open.",
  ],
  ["tlsConnections", "node0_endpoint_tls_connections_total", "Connections with TLS."],
  [
    "tlsFailures",
    "node0_endpoint_tls_failures_total",
    "TLS handshakes that did not come to an end.",
  ],
  [
    "plainRefused",
    "node0_endpoint_plain_refused_total",
    "Plain connections refused where only TLS is spoken.",
  ],
  ["commands", "node0_endpoint_commands_total", "Commands run."],
  ["errors", "node0_endpoint_error_replies_total", "Requests answered with an error."],
  ["protocolErrors", "node0_endpoint_protocol_errors_total", "Requests that were none."],
  ["inputBytes", "node0_endpoint_received_bytes_total", "Bytes received."],
  ["outputBytes", "node0_endpoint_sent_bytes_total", "Bytes sent."],
  [
    "authenticationFailures",
    "node0_endpoint_authentication_failures_total",
    "Passwords that were wrong.",
  ],
  [
    "lockouts",
    "node0_endpoint_lockouts_total",
    "Networks locked out because of too many wrong passwords.",
  ],
  [
    "lockedAttempts",
    "node0_endpoint_locked_attempts_total",
    "Passwords refused unseen because their network was locked out.",
  ],
  [
    "permissionsDenied",
    "node0_endpoint_permissions_denied_total",
    "Requests a user's role does not allow.",
  ],
  [
    "guestTimeouts",
    "node0_endpoint_login_timeouts_total",
    "Connections closed because they did not authenticate in time.",
  ],
  [
    "idleClosed",
    "node0_endpoint_idle_closed_total",
    "Connections closed because they asked nothing for too long.",
  ],
  [
    "slowReadersClosed",
    "node0_endpoint_slow_readers_closed_total",
    "Connections closed because they did not take their replies.",
  ],
  ["pushes", "node0_push_messages_total", "Messages sent to subscribers."],
  ["pushesDropped", "node0_push_dropped_messages_total", "Messages subscribers were too slow for."],
];

/** Keys, lists and strings. */
export function keyspaceMetrics({ keyspace }: EndpointSources): MetricFamily[] {
  const { store, blocking } = keyspace;
  return [
    gauge("node0_keyspace_keys", "Keys.", store.size),
    gauge("node0_keyspace_expiring_keys", "Keys with a time to live.", store.expiringCount),
    gauge("node0_keyspace_used_bytes", "Bytes of keys and values.", store.usedBytes),
    gauge("node0_keyspace_max_bytes", "Bytes clients may fill.", store.maxBytes),
    counter("node0_keyspace_expired_keys_total", "Keys whose time was up.", store.expiredCount),
    gauge("node0_keyspace_blocked_clients", "Clients that wait for keys.", blocking.waiterCount),
  ];
}

export interface JobSources {
  /** Jobs by phase. */
  readonly counts: () => Readonly<Record<string, number>>;
  /** Results by state. */
  readonly finished: () => Readonly<Record<string, number>>;
  readonly maxJobs: number;
}

export function jobMetrics({ counts, finished, maxJobs }: JobSources): MetricFamily[] {
  return [
    gauge(
      "node0_jobs",
      "Jobs known by phase: queued, running, or waiting between two runs.",
      byLabel("phase", counts()),
    ),
    gauge("node0_jobs_max", "Jobs that may be known at once.", maxJobs),
    counter(
      "node0_jobs_finished_total",
      "Results published, by state.",
      byLabel("state", finished()),
    ),
  ];
}
