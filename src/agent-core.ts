import { join } from "node:path";
import { openAgentMetrics } from "./agent-metrics.ts";
import { agentServices, type Duties } from "./agent-services.ts";
import { agentVersion, RELEASE } from "./agent-version.ts";
import { restoreBridges } from "./api/bridge-command.ts";
import { Endpoint } from "./api/endpoint.ts";
import { endpointSettings } from "./api/endpoint-settings.ts";
import { nodeSections } from "./api/info-node.ts";
import { KeyspaceJobSink } from "./api/job-sink.ts";
import { PushHub } from "./api/push-hub.ts";
import { type CommandRegistry, toExecutable } from "./api/registry.ts";
import type { NodeCommand } from "./api/services.ts";
import { errorText } from "./base/errors.ts";
import type { AgentOptions } from "./config/agent-options.ts";
import type { LoadedConfig, NodeConfig } from "./config/node-config.ts";
import { EventBus } from "./events/bus.ts";
import { JobEngine } from "./job/engine.ts";
import { FinishedCounts } from "./job/finished-counts.ts";
import { JournalFile } from "./job/journal-file.ts";
import { defaultLimits } from "./job/limits.ts";
import { MessageHub } from "./job/message-hub.ts";
import type { Executable } from "./job/types.ts";
import { Keyspace } from "./keyspace/keyspace.ts";
import type { Logger, RootLogger } from "./log/logger.ts";
import type { SequenceEvents } from "./sequencer/sequence.ts";
import { startMonitorsLater } from "./stats/start-monitors.ts";
import { LinuxCgroups } from "./sys/cgroup-linux.ts";
import { systemClock } from "./sys/clock.ts";
import { IdleMemory, releaseV8Memory, v8HeapBytes } from "./sys/idle-memory.ts";
import { linuxProcessTree } from "./sys/process-tree.ts";
import { LinuxSpawner } from "./sys/spawn-linux.ts";

const CGROUP_ROOT = "/sys/fs/cgroup";

/** The agent without what makes it a machine: endpoint, keyspace, jobs. */
export interface Core {
  readonly endpoint: Endpoint;
  readonly engine: JobEngine;
  /** Messages and results of all jobs. */
  readonly messages: MessageHub;
  /** How boot and shutdown go on; quiet on a host. */
  readonly events: EventBus<SequenceEvents>;
  /** Opens what Prometheus reads, if the configuration names an address; resolves with what closes it. */
  readonly openMetrics: () => Promise<() => void>;
  readonly log: Logger;
  readonly version: string;
  /** Time of the commit, milliseconds since the epoch; null for a source tree. */
  readonly builtAtMs: number | null;
  readonly config: NodeConfig;
  /** Takes up what an earlier agent of this boot left in the kernel; nobody waits for it. */
  restore(): void;
  /** What could not be used of kernel command line and configuration, one sentence each; may grow. */
  readonly problems: readonly string[];
  /** Adds a command while the agent runs. @throws AgentError `E_COMMAND_TWICE` when its name is taken. */
  addCommand(command: NodeCommand): void;
}

/** Builds the core; nothing listens and no job runs yet. */
export function openCore(parts: {
  options: AgentOptions;
  log: RootLogger;
  loaded: LoadedConfig;
  problems: readonly string[];
  /** For the caller to wipe. */
  password: Uint8Array | null;
  registry: CommandRegistry;
  duties: () => Duties;
}): Core {
  const { options, log, loaded, registry, password } = parts;
  const clock = systemClock;
  const keyspace = new Keyspace({ clock });
  const { version, text, builtAtMs } = agentVersion();
  const executables = new Map<string, Executable>();
  const messages = new MessageHub((error) => {
    log.error("message listener failed", { reason: errorText(error) });
  });
  const events = new EventBus<SequenceEvents>({
    onListenerError: (error) => log.error("event listener failed", { reason: errorText(error) }),
  });
  const finished = new FinishedCounts();
  messages.listen(finished);
  const engine = new JobEngine({
    resolve: (name) => executables.get(name),
    sink: new KeyspaceJobSink(keyspace, loaded.config.jobs),
    clock,
    spawn: new LinuxSpawner(process.env as Record<string, string>),
    processes: linuxProcessTree,
    journal: new JournalFile({
      path: join(options.stateDir, "jobs.journal"),
      clock,
      processes: linuxProcessTree,
      log: log.child("journal"),
    }),
    log: log.child("job"),
    hub: messages,
    maxJobs: loaded.config.main.max_jobs,
    // On a host the tree of cgroups belongs to somebody else.
    cgroups: options.isHost ? null : new LinuxCgroups(CGROUP_ROOT),
    limits: defaultLimits(loaded.config.jobs),
  });
  const memory = new IdleMemory({ clock, heapBytes: v8HeapBytes, release: releaseV8Memory });
  messages.listen({ finished: () => memory.touch() });
  const services = agentServices({ ...parts, clock, version, engine, messages, keyspace });
  for (const command of registry.list()) {
    executables.set(command.name, toExecutable(command, services));
  }
  if (services.statistics !== null) {
    const { isHost } = options;
    startMonitorsLater({ isHost, events, ownJobs: engine, clock, log: log.child("statistics") });
  }
  const jobs = { counts: () => engine.counts(), finished: () => finished.byState() };
  const push = new PushHub({ clock, messages, jobs: engine, boot: events }, keyspace);
  const endpoint = new Endpoint({
    keyspace,
    intake: engine,
    registry,
    clock,
    logger: log.child("endpoint"),
    password,
    version: RELEASE,
    push,
    nodeSections: () => nodeSections(services, jobs),
    ...endpointSettings(loaded.config.endpoint, options),
  });
  return {
    endpoint,
    engine,
    messages,
    events,
    openMetrics: () =>
      openAgentMetrics({ ...parts, endpoint, engine, finished, keyspace, push, services }),
    log,
    version: text,
    builtAtMs,
    config: loaded.config,
    restore: () => {
      restoreBridges(services).catch((error: unknown) => {
        log.error("bridges not restored", { reason: errorText(error) });
      });
    },
    problems: parts.problems,
    addCommand: (command) => {
      endpoint.addCommand(command);
      registry.add(command);
      executables.set(command.name, toExecutable(command, services));
    },
  };
}
