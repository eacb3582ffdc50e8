import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { PhaseStatus } from "../../../src/sequencer/types.ts";
import type { NetworkNodeOptions } from "../../fixtures/network-node.ts";

/** Directory of leases inside the lab: /run is a file system of its own there. */
export const DIRECTORY = "/run/node0/dhcp";
const HOOK = resolve("etc/network/udhcpc-hook");
const SERVER = "10.9.0.1";

/** Why the lab cannot be opened here; undefined when it can. */
export function missingForLab(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root for network namespaces";
  const programs = ["unshare", "nsenter", "ip", "busybox", "dnsmasq", "setsid", "pgrep"];
  const missing = programs.filter((name) => !isInstalled(name));
  return missing.length === 0 ? undefined : `not installed: ${missing.join(", ")}`;
}

/**
 * A node and a DHCP server, each in a network namespace of its own, joined by a cable: `v0` on the node,
 * `s0` on the server. Everything started inside ends with the lab.
 */
export class NetworkLab {
  readonly #keeper: ChildProcess;
  readonly #nodePid: string;

  private constructor(keeper: ChildProcess, nodePid: string) {
    this.#keeper = keeper;
    this.#nodePid = nodePid;
  }

  static async open(): Promise<NetworkLab> {
    const prepare =
      "mount -t sysfs s /sys && mount -t tmpfs t /run && echo ready && exec sleep inf";
    const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const keeper = spawn("unshare", [...namespaces, "sh", "-c", prepare], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (keeper.stdout === null) throw new Error("unshare has no output");
    await once(keeper.stdout, "data");
    const nodePid = readFileSync(`/proc/${keeper.pid}/task/${keeper.pid}/children`, "utf8").trim();
    const lab = new NetworkLab(keeper, nodePid);
    lab.node("ip", "netns", "add", "server");
    lab.node(..."ip link add v0 type veth peer name s0 netns server".split(" "));
    lab.server("ip", "address", "add", `${SERVER}/24`, "dev", "s0");
    return lab;
  }

  /** Runs a program on the node's side. @returns its output. */
  node(...words: string[]): string {
    return execFileSync("nsenter", this.#enter(words), { encoding: "utf8", timeout: 10_000 });
  }

  server(...words: string[]): string {
    return this.node("ip", "netns", "exec", "server", ...words);
  }

  /** The far end of the cable: carrier of `v0` follows it. */
  plug(): void {
    this.server("ip", "link", "set", "s0", "up");
  }

  unplug(): void {
    this.server("ip", "link", "set", "s0", "down");
  }

  /** Starts a DHCP server that gives addresses from 10.9.0.50 on. */
  startServer(): void {
    const words = [
      "--interface=s0",
      "--bind-interfaces",
      "--port=0",
      "--no-ping",
      "--conf-file=/dev/null",
      "--user=root",
      "--pid-file=/run/dnsmasq.pid",
      "--dhcp-leasefile=/run/dnsmasq.leases",
      "--dhcp-range=10.9.0.50,10.9.0.60,2m",
      `--dhcp-option=option:dns-server,${SERVER}`,
      "--dhcp-authoritative",
    ];
    this.server("dnsmasq", ...words);
  }

  /** Starts the network phase as an agent would. */
  startAgent(over: Partial<NetworkNodeOptions> = {}): LabAgent {
    const options: NetworkNodeOptions = {
      directory: DIRECTORY,
      hook: HOOK,
      noAutoNic: [],
      probes: [],
      ...over,
    };
    const program = [process.execPath, resolve("test/fixtures/network-node.ts")];
    const words = this.#enter([...program, JSON.stringify(options)]);
    return new LabAgent(spawn("nsenter", words, { stdio: ["pipe", "pipe", "inherit"] }));
  }

  /** Runs the script that starts the clients before the agent. */
  runEarlyNetwork(...interfaces: string[]): void {
    const settings = [`NODE0_DHCP_DIR=${DIRECTORY}`, `NODE0_DHCP_HOOK=${HOOK}`];
    const script = resolve("etc/network/early-network");
    this.node("env", ...settings, "busybox", "sh", script, ...interfaces);
  }

  /** Calls the hook as udhcpc would. */
  runHook(event: string, lease: Readonly<Record<string, string>>): void {
    const values = Object.entries(lease).map(([name, value]) => `${name}=${value}`);
    this.node("env", `NODE0_DHCP_DIR=${DIRECTORY}`, ...values, "busybox", "sh", HOOK, event);
  }

  addresses(name: string): string[] {
    const text = this.node("ip", "-4", "-o", "address", "show", "dev", name);
    return [...text.matchAll(/inet (\S+)/g)].map(([, address = ""]) => address);
  }

  /** Text of a file on the node; empty where there is none. */
  read(path: string): string {
    try {
      return this.node("cat", path);
    } catch {
      return "";
    }
  }

  async close(): Promise<void> {
    const ended = once(this.#keeper, "exit");
    this.#keeper.kill("SIGKILL");
    await ended;
  }

  #enter(words: readonly string[]): string[] {
    return ["--target", this.#nodePid, "--net", "--mount", "--pid", "--", ...words];
  }
}

/** One run of the network phase, and what it says. */
export class LabAgent {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error("the agent has no output");
    const lines: Interface = createInterface({ input: child.stdout });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** The next status for which `isWanted` holds. The time limit is that of the test. */
  async until(isWanted: (status: PhaseStatus) => boolean): Promise<PhaseStatus> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error("the agent ended before it said what was waited for");
      const status = JSON.parse(value as string) as PhaseStatus;
      if (isWanted(status)) return status;
    }
  }

  /** Kills it the hard way; what it started goes on. */
  async kill(): Promise<void> {
    const ended = once(this.#child, "exit");
    // nsenter waits for the program it runs in the other pid namespace: that one has to die.
    const children = readFileSync(
      `/proc/${this.#child.pid}/task/${this.#child.pid}/children`,
      "utf8",
    );
    for (const pid of children.trim().split(" ")) process.kill(Number(pid), "SIGKILL");
    await ended;
  }
}

function isInstalled(name: string): boolean {
  const directories = (process.env["PATH"] ?? "").split(delimiter);
  return [...directories, "/usr/sbin", "/sbin"].some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
