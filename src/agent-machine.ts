import type { Core } from "./agent-core.ts";
import { reload, reloadAccess } from "./agent-reload.ts";
import type { Duties } from "./agent-services.ts";
import type { AgentStartup } from "./agent-startup.ts";
import { stopMachine } from "./agent-stop.ts";
import { Listeners } from "./api/listeners.ts";
import type { PasswordControl } from "./api/services.ts";
import { errorText } from "./base/errors.ts";
import { type Boot, createBoot } from "./boot/boot.ts";
import { linuxMachine } from "./boot/linux-machine.ts";
import { PasswordSource } from "./boot/password-source.ts";
import { machinePower } from "./boot/power.ts";
import { readHostname } from "./boot/system.ts";
import type { KernelSettings } from "./config/kernel-words.ts";
import { NETWORK_CONFIG_FILE } from "./config/network-types.ts";
import { overlayPorts } from "./config/node-config-metrics.ts";
import type { Console } from "./console/console.ts";
import { openConsole } from "./console/open-console.ts";
import type { EventBus } from "./events/bus.ts";
import type { NodeNetwork } from "./network/node-network.ts";
import { SequenceLock } from "./sequencer/lock.ts";
import type { SequenceEvents } from "./sequencer/sequence.ts";
import { startCacheDisk } from "./storage/cache-start.ts";
import { systemClock } from "./sys/clock.ts";
import { linuxFiles } from "./sys/files-linux.ts";
import { PRIVATE_FILES, VAULT } from "./vault/controller-api.ts";

/** What the core gets from a machine, and the machine's own life. */
export interface MachineAgent extends Duties {
  /** Boots and stays; resolves with an exit code when PID 1 is to start the agent again. */
  run(): Promise<number>;
}

/** Puts boot sequence, console and power around the core. Nothing runs before `run`. */
export function openMachine(
  core: Core,
  settings: KernelSettings,
  startup: AgentStartup,
): MachineAgent {
  const clock = systemClock;
  const { log, events } = core;
  const lock = new SequenceLock(clock);
  const listeners = new Listeners({
    clock,
    log: log.child("endpoint"),
    listen: (host, port) => core.endpoint.listenTcp(host, port),
  });
  let passwordChanges = 0;
  const passwordSource = new PasswordSource({
    clock,
    log: log.child("password"),
    privateFile: `${VAULT.mountpoint}/${PRIVATE_FILES.redisPassword}`,
    // Nothing else has given it one yet.
    hasKernelPassword: core.endpoint.hasPassword,
    apply: (password) => {
      const isOther = core.endpoint.setPassword(password);
      if (!isOther) return false;
      passwordChanges += 1;
      machine.onPassword().catch((error: unknown) => {
        log.error("endpoint cannot be opened", { reason: errorText(error) });
      });
      return true;
    },
  });
  const machine = linuxMachine({
    settings,
    version: core.version,
    timeline: () => boot.timeline(),
    reloadPassword: async () => {
      passwordSource.start();
      const { problems } = await passwordSource.reload();
      return [...problems, ...(await reloadAccess(core, machine))];
    },
    clock,
    log: log.child("boot"),
    builtAtMs: core.builtAtMs,
    firewall: { ...core.config.firewall, ports: overlayPorts(core.config.metrics) },
    services: startup,
    networkFile: core.config.main.network || NETWORK_CONFIG_FILE,
    openApi: async (listen) => ((await core.endpoint.mayListen()) ? listeners.open(listen) : []),
  });
  const ended = Promise.withResolvers<number>();
  const password: PasswordControl = {
    reload: () => reload({ core, machine, source: passwordSource, changes: () => passwordChanges }),
  };
  const boot: Boot = createBoot({
    machine,
    lock,
    clock,
    events,
    onEnd: (outcome) => {
      log.info("boot ended", { outcome: outcome.state });
      if (outcome.state === "failed") ended.resolve(1);
      else void startCacheDisk(core.config.cache, log.child("cache"));
    },
  });
  const console = openConsole({
    clock,
    files: linuxFiles,
    log: log.child("console"),
    content: () => ({
      version: core.version,
      hostname: readHostname(linuxFiles),
      phases: boot.timeline(),
      addresses: machine.network.addressLines(),
      endpoints: listeners.addresses(),
      problems: [...core.problems, ...machine.network.loaded.problems],
    }),
  });
  const power = machinePower({
    machine: stopMachine(core, listeners),
    lock,
    clock,
    events,
    log: log.child("power"),
  });
  return {
    boot,
    power,
    network: machine.network,
    overlay: machine.overlay,
    password,
    run: () => {
      process.on("SIGHUP", () => void password.reload());
      noteMistakes(machine.network, console);
      startup.onProblem((problem) => console.note("setting", problem));
      return run({ core, boot, console, events, ended: ended.promise });
    },
  };
}

/** Each mistake of net.toml is shown once, and again when the file is read again and still has it. */
function noteMistakes(network: NodeNetwork, console: Console): void {
  let shown = network.loaded;
  network.onStatus(() => {
    if (network.loaded === shown) return;
    shown = network.loaded;
    for (const problem of shown.problems) console.note("network", problem);
  });
}

async function run(parts: {
  core: Core;
  boot: Boot;
  console: Console;
  events: EventBus<SequenceEvents>;
  ended: Promise<number>;
}): Promise<number> {
  const { core, boot, console, events, ended } = parts;
  events.subscribe((event) => console.onEvent(event));
  events.on("phase.change", ({ sequence, status }) => {
    const { phase, state, attempts, reason } = status;
    core.log.info("phase changed", { sequence, phase, state, attempts, reason });
  });
  for (const problem of core.problems) console.note("setting", problem);
  boot.run().catch((error: unknown) => core.log.error("boot failed", { reason: String(error) }));
  return ended;
}
