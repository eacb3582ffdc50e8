import { parseArgs } from "node:util";
import { AgentError, errorText } from "../base/errors.ts";
import { type ListenAddress, parseListen } from "./kernel-words.ts";

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** How the agent was started. */
export interface AgentOptions {
  /** On a host nothing is booted and no duty of a machine is taken over. */
  readonly isHost: boolean;
  /** Empty: the unix socket only. On a machine the kernel command line decides. */
  readonly listen: readonly ListenAddress[];
  readonly passwordFile: string | null;
  /** Unix socket of the endpoint; absolute or relative to the working directory. */
  readonly socket: string;
  /** Journal of jobs and other state that outlives the agent. */
  readonly stateDir: string;
  readonly logLevel: (typeof LOG_LEVELS)[number] | null;
  /** Main configuration file; null: the default place. */
  readonly configFile: string | null;
}

export const AGENT_USAGE = `usage: node0 agent --host [options]   on an ordinary Linux host
       node0 agent                    on a machine, started by PID 1

  --listen ADDRESS:PORT   also listen there; needs --password-file; repeatable
  --password-file FILE    password of the endpoint, first line of FILE
  --state-dir DIR         state that outlives the agent (default /run/node0)
  --socket PATH           unix socket of the endpoint (default STATE-DIR/redis.sock)
  --config FILE           main configuration (default /etc/node0/node0.toml)
  --log-level LEVEL       ${LOG_LEVELS.join(", ")}
`;

/**
 * Reads the words after `node0 agent`.
 *
 * @throws AgentError `E_USAGE` naming the option, the value seen and the values allowed.
 */
export function parseAgentOptions(words: readonly string[]): AgentOptions {
  const values = parse(words);
  const stateDir = values["state-dir"] ?? "/run/node0";
  const listen = (values.listen ?? []).map((value) => {
    const address = parseListen(value);
    if (address !== undefined) return address;
    throw usage("--listen", value, "ADDRESS, ADDRESS:PORT or [IPV6]:PORT");
  });
  const level = values["log-level"];
  const logLevel = LOG_LEVELS.find((known) => known === level) ?? null;
  if (level !== undefined && logLevel === null) {
    throw usage("--log-level", level, `one of ${LOG_LEVELS.join(", ")}`);
  }
  if (!values.host && listen.length > 0) {
    throw usage("--listen", "no --host", "node0.listen= on the kernel command line of a machine");
  }
  return {
    isHost: values.host,
    listen,
    passwordFile: values["password-file"] ?? null,
    socket: values.socket ?? `${stateDir}/redis.sock`,
    stateDir,
    logLevel,
    configFile: values.config ?? null,
  };
}

function parse(words: readonly string[]) {
  // A machine gives no words, and loading the parser for none would delay its boot.
  if (words.length === 0) return { host: false };
  try {
    return parseArgs({
      args: [...words],
      options: {
        host: { type: "boolean", default: false },
        listen: { type: "string", multiple: true },
        "password-file": { type: "string" },
        "state-dir": { type: "string" },
        socket: { type: "string" },
        config: { type: "string" },
        "log-level": { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new AgentError("E_USAGE", `Cannot start the agent: ${errorText(error)}`);
  }
}

function usage(option: string, seen: string, wanted: string): AgentError {
  return new AgentError("E_USAGE", `Cannot use ${option}: ${seen} seen, expected ${wanted}`);
}
