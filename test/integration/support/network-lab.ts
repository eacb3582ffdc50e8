import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import type { NetworkNodeOptions } from "../../fixtures/network-node.ts";
import { LabAgent } from "./network-lab-agent.ts";
import { LabCable } from "./network-lab-cable.ts";

/** Directory of leases inside the lab: /run is a file system of its own there. */
export const DIRECTORY = "/run/node0/dhcp";
/** Where agents of the lab look for their net.toml. */
export const NET_TOML = "/run/node0/net.toml";
const HOOK = resolve("etc/network/udhcpc-hook");
const PROGRAMS = ["unshare", "nsenter", "ip", "busybox", "dnsmasq", "setsid", "pgrep"];

/** Why the lab cannot be opened here; undefined when it can. @param more Other programs a test needs. */
export function missingForLab(...more: string[]): string | undefined {
  if (process.getuid?.() !== 0) return "needs root for network namespaces";
  const missing = [...PROGRAMS, ...more].filter((name) => !isInstalled(name));
  return missing.length === 0 ? undefined : `not installed: ${missing.join(", ")}`;
}

/**
 * A node in a network namespace of its own, with cables `v0`, `v1` … to servers in theirs, see
 * {@link LabCable}. Everything started inside ends with the lab.
 */
export class NetworkLab {
  readonly #keeper: ChildProcess;
  readonly #nodePid: string;
  readonly #cables: LabCable[] = [];

  private constructor(keeper: ChildProcess, nodePid: string) {
    this.#keeper = keeper;
    this.#nodePid = nodePid;
  }

  /** @param cables How many there are; each costs about 30 ms. */
  static async open(cables = 1): Promise<NetworkLab> {
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
    for (let number = 0; number < cables; number += 1) {
      const cable = new LabCable(lab, number);
      cable.lay();
      lab.#cables.push(cable);
    }
    return lab;
  }

  /** Runs a program on the node's side. @returns its output. */
  node(...words: string[]): string {
    return execFileSync("nsenter", this.#enter(words), { encoding: "utf8", timeout: 10_000 });
  }

  cable(number: number): LabCable {
    const cable = this.#cables[number];
    if (cable === undefined) throw new Error(`the lab has no cable ${number}`);
    return cable;
  }

  /** Runs a program at the far end of the first cable. */
  server(...words: string[]): string {
    return this.cable(0).server(...words);
  }

  /** The far end of the first cable: carrier of `v0` follows it. */
  plug(): void {
    this.cable(0).plug();
  }

  unplug(): void {
    this.cable(0).unplug();
  }

  /** Starts a DHCP server on the first cable that gives addresses from 10.9.0.50 on. */
  startServer(): void {
    this.cable(0).startDhcp();
  }

  /** Adds interfaces `d0`, `d1` … whose cables are not plugged in. */
  addDark(count: number): void {
    const words = Array.from({ length: count }, (_, at) => {
      return `link add d${at} type veth peer name e${at} netns server\n`;
    });
    this.write("/run/dark", words.join(""));
    this.node("ip", "-batch", "/run/dark");
  }

  /** Writes the net.toml that agents are started with from then on. */
  configure(text: string): void {
    this.node("mkdir", "-p", "/run/node0");
    this.write(NET_TOML, text);
  }

  /** Writes a file on the node, below /run. */
  write(path: string, text: string): void {
    const words = this.#enter(["sh", "-c", 'cat >"$0"', path]);
    execFileSync("nsenter", words, { input: text, timeout: 10_000 });
  }

  /**
   * Connects the node of another lab with the far end of the first cable: its `v0` and ours are then
   * two ports of one switch, which has the address of the far end.
   */
  join(other: NetworkLab): void {
    const { namespace, far, address } = this.cable(0);
    const pid = `--target=${this.#nodePid}`;
    const pair = "ip link add b1 type veth peer name v0 netns".split(" ");
    // Without our pid namespace: the other lab is known by its pid on the host.
    execFileSync("nsenter", [pid, "--net", ...pair, other.#nodePid], { timeout: 10_000 });
    this.node("ip", "link", "set", "b1", "netns", namespace);
    this.server("ip", "link", "add", "br0", "type", "bridge");
    for (const port of [far, "b1"]) this.server("ip", "link", "set", port, "master", "br0", "up");
    this.server("ip", "address", "flush", "dev", far);
    this.server("ip", "address", "add", `${address}/24`, "dev", "br0");
    this.server("ip", "link", "set", "br0", "up");
  }

  /** The words of a command that runs on the node's side when it is started outside. */
  enter(words: readonly string[]): string[] {
    return ["nsenter", ...this.#enter(words)];
  }

  /** Starts the network phase as an agent would. */
  startAgent(over: Partial<NetworkNodeOptions> = {}): LabAgent {
    const options: NetworkNodeOptions = {
      directory: DIRECTORY,
      hook: HOOK,
      noAutoNic: [],
      probes: [],
      netToml: NET_TOML,
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
