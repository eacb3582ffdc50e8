import { resolve } from "node:path";
import type { Services, Version } from "./api/services.ts";
import type { Clock } from "./base/clock.ts";
import type { AgentOptions } from "./config/agent-options.ts";
import { configToWire, type LoadedConfig } from "./config/node-config.ts";
import type { JobEngine } from "./job/engine.ts";
import type { MessageHub } from "./job/message-hub.ts";
import type { Keyspace } from "./keyspace/keyspace.ts";
import type { RootLogger } from "./log/logger.ts";
import { openRecords } from "./records/open-records.ts";
import { openStatistics } from "./stats/open-statistics.ts";

/** The services a machine has and a host does not. Known only after the core exists. */
export type Duties = Pick<Services, "power" | "boot" | "network" | "overlay" | "password">;

/** What commands may use of this agent. */
export function agentServices(parts: {
  readonly options: AgentOptions;
  readonly log: RootLogger;
  readonly loaded: LoadedConfig;
  readonly duties: () => Duties;
  readonly clock: Clock;
  readonly version: Version;
  readonly engine: JobEngine;
  readonly messages: MessageHub;
  readonly keyspace: Keyspace;
}): Services {
  const { options, log, loaded, clock, version, engine, messages, keyspace } = parts;
  return {
    clock,
    version,
    stateDir: resolve(options.stateDir),
    jobs: engine,
    ownJobs: engine,
    messages,
    records: openRecords({
      hub: messages,
      config: loaded.config.logging,
      stateDir: options.stateDir,
      keyspace,
      clock,
      log: log.child("records"),
    }),
    statistics: loaded.config.stats.enabled
      ? openStatistics({ hub: messages, keyspace, clock, log: log.child("statistics") })
      : null,
    setLogLevel: (level) => log.setLevel(level),
    get power() {
      return parts.duties().power;
    },
    get boot() {
      return parts.duties().boot;
    },
    get network() {
      return parts.duties().network;
    },
    get overlay() {
      return parts.duties().overlay;
    },
    get password() {
      return parts.duties().password ?? null;
    },
    kernelNetwork: async () => {
      const { openKernelNetwork } = await import("./sys/kernel-network-linux.ts");
      return openKernelNetwork();
    },
    config: () => configToWire(loaded.config),
  };
}
