import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RelayOptions } from "./relay.ts";

const RELAY = join(import.meta.dirname, "relay.ts");
const COMMAND_LIMIT_MS = 10_000;
const KNOCK_LIMIT_MS = 2000;

/** One cable between machines: a bridge of the test network. */
export interface Segment {
  readonly name: string;
  /** Address of the test on it, with prefix length. */
  readonly addresses?: readonly string[];
}

export interface DhcpServer {
  /** The one its segment has, without prefix length; the first three numbers of all it gives. */
  readonly address: string;
  /** As dnsmasq writes it; default two minutes, its smallest. */
  readonly leaseTime?: string;
}

/**
 * A network of its own for machines in QEMU, in a network namespace: nothing answers there but what a
 * test starts. Every process in it ends with it.
 */
export class TestNetwork implements AsyncDisposable {
  readonly #keeper: ChildProcess;
  readonly #directory: string;
  readonly #helpers = new Set<ChildProcess>();
  /** Process that keeps the namespaces. */
  readonly pid: number;
  #relays = 0;

  private constructor(keeper: ChildProcess, pid: number) {
    this.#keeper = keeper;
    this.pid = pid;
    this.#directory = mkdtempSync(join(tmpdir(), "node0-net-"));
  }

  static async open(): Promise<TestNetwork> {
    const prepare =
      "mount -t sysfs s /sys && mount -t tmpfs t /run && ip link set lo up && echo ready && exec sleep inf";
    const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const words = ["--pdeathsig", "KILL", "--", "unshare", ...namespaces, "sh", "-c", prepare];
    const keeper = spawn("setpriv", words, { stdio: ["ignore", "pipe", "inherit"] });
    await firstLine(keeper);
    const children = readFileSync(`/proc/${keeper.pid}/task/${keeper.pid}/children`, "utf8");
    return new TestNetwork(keeper, Number(children.trim()));
  }

  /** Lays a cable. */
  addSegment({ name, addresses = [] }: Segment): void {
    this.run("ip", "link", "add", "name", name, "type", "bridge");
    // An address of another cable must not answer on this one.
    this.run("sh", "-c", `echo 1 >/proc/sys/net/ipv4/conf/${name}/arp_ignore`);
    for (const address of addresses) this.run("ip", "address", "add", address, "dev", name);
    this.run("ip", "link", "set", name, "up");
  }

  /** Makes a socket for the card of a machine. @returns its name. */
  addTap(name: string, segment: string): string {
    this.run("ip", "tuntap", "add", "dev", name, "mode", "tap");
    this.run("ip", "link", "set", name, "master", segment, "up");
    return name;
  }

  /** Starts a DHCP server that gives 50 to 60 of its own network. @returns ends it. */
  startDhcp(segment: string, { address, leaseTime = "2m" }: DhcpServer): () => void {
    const network = address.split(".").slice(0, 3).join(".");
    const pidFile = `/run/dnsmasq-${segment}.pid`;
    this.run(
      "dnsmasq",
      `--interface=${segment}`,
      "--bind-interfaces",
      "--except-interface=lo",
      "--port=0",
      "--no-ping",
      "--conf-file=/dev/null",
      "--user=root",
      `--pid-file=${pidFile}`,
      `--dhcp-leasefile=/run/dnsmasq-${segment}.leases`,
      `--dhcp-range=${network}.50,${network}.60,${leaseTime}`,
      `--dhcp-option=option:dns-server,${address}`,
      "--dhcp-authoritative",
    );
    return () => this.run("kill", this.run("cat", pidFile).trim());
  }

  /** Makes a Unix socket that leads to a port of a machine. @returns its path. */
  async reach(host: string, port: number): Promise<string> {
    this.#relays += 1;
    const socket = join(this.#directory, `relay-${this.#relays}.sock`);
    await this.start(RELAY, JSON.stringify({ socket, host, port } satisfies RelayOptions));
    return socket;
  }

  /** How a machine answers to a connection from inside. */
  knock(host: string, port: number): "open" | "refused" | "silent" {
    const script = `const socket = require("net").connect({ host: process.argv[1], port: process.argv[2] });
      const end = (answer) => { console.log(answer); process.exit(); };
      socket.on("connect", () => end("open")).on("error", () => end("refused"));
      setTimeout(() => end("silent"), ${KNOCK_LIMIT_MS});`;
    return this.run(process.execPath, "-e", script, host, String(port)).trim() as "open";
  }

  /** Runs a program inside to its end. @returns its output. @throws with what it said. */
  run(...words: string[]): string {
    const inside = ["--target", String(this.pid), "--net", "--mount", "--pid", "--", ...words];
    return execFileSync("nsenter", inside, {
      encoding: "utf8",
      timeout: COMMAND_LIMIT_MS,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Starts a program of ours in the network namespace only, and waits for its first line. @returns ends it. */
  async start(path: string, ...words: string[]): Promise<() => Promise<void>> {
    const node = [process.execPath, path, ...words];
    const entered = ["nsenter", "--target", String(this.pid), "--net", "--", ...node];
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...entered], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#helpers.add(child);
    await firstLine(child);
    return () => this.#end(child);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#helpers].map((helper) => this.#end(helper)));
    const ended = once(this.#keeper, "exit");
    this.#keeper.kill("SIGKILL");
    await ended;
    rmSync(this.#directory, { recursive: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(child: ChildProcess): Promise<void> {
    this.#helpers.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill();
    await ended;
  }
}

async function firstLine(child: ChildProcess): Promise<void> {
  const { stdout } = child;
  if (stdout === null) throw new Error("the program has no output");
  const early = once(child, "exit").then(([status]) => {
    throw new Error(`${child.spawnargs.join(" ")} ended early with ${status}`);
  });
  await Promise.race([once(stdout, "data"), early]);
  early.catch(() => undefined); // ends much later, and somebody else waits for it
  stdout.resume();
}
