import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openCore } from "./agent-core.ts";
import { openMachine } from "./agent-machine.ts";
import type { Duties } from "./agent-services.ts";
import { AgentStartup } from "./agent-startup.ts";
import { loadCommands } from "./api/load-commands.ts";
import { openLocalSocket } from "./api/local-socket.ts";
import { CommandRegistry, isEnabled } from "./api/registry.ts";
import { AgentError, errorText } from "./base/errors.ts";
import { firstLine } from "./base/secret-bytes.ts";
import { hostPower } from "./boot/power.ts";
import { AGENT_USAGE, type AgentOptions, parseAgentOptions } from "./config/agent-options.ts";
import { parseKernelCommandLine } from "./config/kernel-command-line.ts";
import { DEFAULT_KERNEL_SETTINGS, type KernelSettings } from "./config/kernel-words.ts";
import { loadNodeConfig } from "./config/node-config.ts";
import { FileSink } from "./log/file-sink.ts";
import { type LogLevel, openLogger, type RootLogger } from "./log/logger.ts";
import { systemClock } from "./sys/clock.ts";
import { linuxFiles } from "./sys/files-linux.ts";

/**
 * Runs the agent until it is told to end.
 *
 * @param words What stands after `node0 agent`.
 * @returns Exit code; 2 for options that cannot be used.
 */
export async function runAgent(words: readonly string[]): Promise<number> {
  let options: AgentOptions;
  try {
    options = parseAgentOptions(words);
  } catch (error) {
    process.stderr.write(`node0: ${errorText(error)}\n\n${AGENT_USAGE}`);
    return 2;
  }
  const { settings, problems } = options.isHost
    ? { settings: DEFAULT_KERNEL_SETTINGS, problems: [] }
    : parseKernelCommandLine(readFileSync("/proc/cmdline", "utf8"));
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  const log = openAgentLog(options, settings);
  try {
    return await start(options, settings, problems, log);
  } catch (error) {
    log.error("agent cannot start", { reason: errorText(error) });
    process.stderr.write(`node0: ${errorText(error)}\n`);
    return 1;
  }
}

async function start(
  options: AgentOptions,
  settings: KernelSettings,
  kernelProblems: readonly string[],
  log: RootLogger,
): Promise<number> {
  const configFile = options.configFile ?? settings.configFile;
  const [commands, loaded] = await Promise.all([
    loadCommands(),
    loadNodeConfig(linuxFiles, configFile),
  ]);
  if (givenLogLevel(options, settings) === null) log.setLevel(loaded.config.main.log_level);
  const passwordFile = options.isHost ? options.passwordFile : settings.passwordFile;
  const secret = readPassword(passwordFile, options.isHost);
  const problems = [...kernelProblems, ...loaded.problems, ...secret.problems];
  for (const problem of problems) log.warn("setting not used", { problem });
  let duties: Duties = {
    power: hostPower(),
    boot: { timeline: () => [], finishedMs: () => null },
    network: null,
    overlay: null,
  };
  const core = openCore({
    options,
    log,
    loaded,
    problems,
    password: secret.password,
    registry: new CommandRegistry(commands.filter(isEnabled(loaded.config))),
    duties: () => duties,
  });
  secret.password?.fill(0);
  const startup = new AgentStartup({ core, configFile, isHost: options.isHost });
  problems.push(...(await startup.load()));
  core.engine.recover();
  core.restore();
  const local = openLocalSocket({
    path: join(options.stateDir, "core.sock"),
    jobs: core.engine,
    messages: core.messages,
    clock: systemClock,
    log: log.child("local"),
  });
  const [closeLocal, closeMetrics] = await Promise.all([
    local,
    core.openMetrics(),
    core.endpoint.listenUnix(options.socket),
  ]);
  if (options.isHost) {
    for (const { host, port } of options.listen) await core.endpoint.listenTcp(host, port);
    process.on("SIGHUP", () => void core.endpoint.reload());
    const ended = endSignal();
    log.info("agent ready", { version: core.version, socket: options.socket });
    void startup.runAll();
    await ended;
    core.engine.stop();
    closeLocal();
    closeMetrics();
    await core.endpoint.stop();
    return 0;
  }
  const machine = openMachine(core, settings, startup);
  duties = machine;
  return machine.run();
}

/** A machine keeps its log in memory: its console is for people. */
function openAgentLog(options: AgentOptions, settings: KernelSettings): RootLogger {
  const level = givenLogLevel(options, settings) ?? "info";
  const sink = options.isHost ? process.stderr : new FileSink(join(options.stateDir, "agent.log"));
  return openLogger({ level, sink });
}

/** Of the command line, the kernel's or its own; null: that of the configuration counts. */
function givenLogLevel(options: AgentOptions, settings: KernelSettings): LogLevel | null {
  return options.logLevel ?? settings.logLevel ?? (settings.debug ? "debug" : null);
}

/**
 * On a machine a password that cannot be read leaves the network closed, which can be repaired from
 * the console; on a host it is a mistake of whoever typed the command. The password is for the caller
 * to wipe.
 */
function readPassword(
  file: string | null,
  isHost: boolean,
): { password: Uint8Array | null; problems: string[] } {
  if (file === null) return { password: null, problems: [] };
  try {
    const password = firstLine(readFileSync(file));
    if (password.length > 0) return { password, problems: [] };
    throw new AgentError(
      "E_PASSWORD_FILE",
      `Cannot use password file ${file}: first line is empty`,
    );
  } catch (error) {
    if (isHost) throw error;
    return { password: null, problems: [errorText(error)] };
  }
}

function endSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, resolve);
  });
}
