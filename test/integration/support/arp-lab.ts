import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import type { ArpOrder } from "../../fixtures/arp-node.ts";

/**
 * Machines on one switch: a bridge, and for each machine a network namespace with `e0` (and `e1`),
 * joined to it. Everything started inside ends with the lab.
 */
export class ArpLab {
  readonly #keeper: ChildProcess;
  readonly #pid: string;
  readonly #nodes: ArpNode[] = [];

  private constructor(keeper: ChildProcess, pid: string) {
    this.#keeper = keeper;
    this.#pid = pid;
  }

  /** @param machines Names; the interfaces of machine `a` are the ports `a0` and `a1` of the switch. */
  static async open(machines: readonly string[]): Promise<ArpLab> {
    const prepare = "mount -t tmpfs t /run && echo ready && exec sleep inf";
    const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const keeper = spawn("unshare", [...namespaces, "sh", "-c", prepare], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (keeper.stdout === null) throw new Error("unshare has no output");
    await once(keeper.stdout, "data");
    const pid = readFileSync(`/proc/${keeper.pid}/task/${keeper.pid}/children`, "utf8").trim();
    const lab = new ArpLab(keeper, pid);
    lab.run("ip link add switch type bridge");
    lab.run("ip link set switch up");
    for (const machine of machines) {
      lab.run(`ip netns add ${machine}`);
      for (const port of [0, 1]) {
        lab.run(`ip link add ${machine}${port} type veth peer name e${port} netns ${machine}`);
        lab.run(`ip link set ${machine}${port} master switch up`);
      }
      lab.run("ip link set e0 up", machine);
    }
    return lab;
  }

  /** Runs a program on the switch or on a machine. @returns its output. */
  run(line: string, machine?: string): string {
    const words = this.#enter(line.split(" "), machine);
    return execFileSync("nsenter", words, { encoding: "utf8", timeout: 10_000 });
  }

  mac(machine: string, name = "e0"): string {
    return this.run(`cat /sys/class/net/${name}/address`, machine).trim();
  }

  /** What the kernel knows of a link; `UP` only with carrier. */
  isReady(machine: string, name = "e0"): boolean {
    return / state UP /.test(this.run(`ip link show ${name}`, machine));
  }

  /** Starts the program of a machine; it takes orders from then on. */
  async start(machine: string): Promise<ArpNode> {
    const program = [process.execPath, "--expose-gc", resolve("test/fixtures/arp-node.ts")];
    const child = spawn("nsenter", this.#enter(program, machine), {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const node = new ArpNode(child);
    this.#nodes.push(node);
    await node.until("ready");
    return node;
  }

  async close(): Promise<void> {
    const ended = once(this.#keeper, "exit");
    this.#keeper.kill("SIGKILL");
    await ended;
  }

  #enter(words: readonly string[], machine?: string): string[] {
    const inside = machine === undefined ? [] : ["ip", "netns", "exec", machine];
    return ["--target", this.#pid, "--net", "--mount", "--pid", "--", ...inside, ...words];
  }
}

/** What the program says, see `ArpOrder`. */
export type ArpMessage = Readonly<Record<string, unknown>>;

export class ArpNode {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly seen: ArpMessage[] = [];

  constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error("the program has no output");
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  order(order: ArpOrder): void {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  /** The next message that has one of the members. The time limit is that of the test. */
  async until(...members: readonly string[]): Promise<ArpMessage> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error("the program ended before it said what was waited for");
      const message = JSON.parse(value as string) as ArpMessage;
      this.seen.push(message);
      if (members.some((member) => member in message)) return message;
    }
  }

  /** Gives an order and waits for its answer, which may be a failure. */
  async ask(order: ArpOrder, member: string): Promise<ArpMessage> {
    this.order(order);
    return await this.until(member, "code");
  }
}
