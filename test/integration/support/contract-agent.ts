import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Client } from "../../../src/client/client.ts";
import { connect } from "../../../src/client/connect.ts";
import { NODE0 } from "../cli-agent.ts";

/** Why no agent can have namespaces of its own here; undefined when it can. */
export function missingForContract(): string | undefined {
  return process.getuid?.() === 0 ? undefined : "needs root for namespaces";
}

/** The machine's own files can be read and not changed, whatever a command does. `$1` is the exception. */
const PREPARE = [
  'mount --bind "$1" "$1"',
  "mount -o remount,bind,ro /",
  "mount -t tmpfs t /run",
  "shift",
  "mount -t sysfs s /sys",
  "mount -t cgroup2 c /sys/fs/cgroup 2>/dev/null || true",
  "ip link set lo up",
  'exec "$@"',
].join(" && ");

/**
 * A real agent in network, mount, process and control group namespaces of its own: what commands do to
 * links, firewall, mounts and processes stays there. It is reached over its unix socket.
 */
export class ContractAgent {
  readonly directory = mkdtempSync(join(tmpdir(), "node0-contract-"));
  readonly socket = join(this.directory, "state/redis.sock");
  log = "";
  #keeper: ChildProcess | undefined;

  /** @param config Text of its main configuration. */
  async start(config = ""): Promise<Client> {
    const configFile = join(this.directory, "node0.toml");
    writeFileSync(configFile, config);
    const namespaces = ["--net", "--mount", "--cgroup", "--pid", "--fork", "--kill-child"];
    const agent = [NODE0, "agent", "--host", "--state-dir", join(this.directory, "state")];
    agent.push("--config", configFile);
    const keeper = spawn(
      "unshare",
      [...namespaces, "--mount-proc", "sh", "-c", PREPARE, "sh", this.directory, ...agent],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#keeper = keeper;
    const lines = createInterface({ input: keeper.stderr });
    await new Promise<void>((resolve, reject) => {
      lines.on("line", (line) => {
        this.log += `${line}\n`;
        if (line.includes('"agent ready"')) resolve();
      });
      keeper.once("exit", (code) => reject(new Error(`the agent ended with ${code}: ${this.log}`)));
    });
    return await connect({ path: this.socket });
  }

  /** Ends everything inside with the first process of its namespace. */
  async stop(): Promise<void> {
    const keeper = this.#keeper;
    if (keeper !== undefined && keeper.exitCode === null) {
      const exit = once(keeper, "exit");
      keeper.kill("SIGKILL");
      await exit;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}
