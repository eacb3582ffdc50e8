import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Lease } from "../../../src/network/lease.ts";
import type { DhcpNodeLine } from "../../fixtures/dhcp-node.ts";
import type { DhcpAnswer, DhcpQuestion } from "../../fixtures/dhcp-server.ts";
import { DIRECTORY, NetworkLab } from "./network-lab.ts";

export const HOOK = resolve("etc/network/udhcpc-hook");
const ANSWER = "/run/answer.json";
const QUESTIONS = "/run/questions";

/** An answer nobody can object to; lifetime 600 s, mask /24, router 10.9.0.1. */
export const DECENT: DhcpAnswer = {
  address: "10.9.0.50",
  options: [
    [51, "00000258"],
    [1, "ffffff00"],
    [3, "0a090001"],
  ],
};

/** DHCP clients on `v0`, and at the other end a server that says whatever a test wants. */
export class DhcpLab {
  readonly lab: NetworkLab;
  /** What the clients logged. */
  readonly log: string[] = [];
  readonly #node: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(lab: NetworkLab, node: ChildProcess, lines: AsyncIterator<string>) {
    this.lab = lab;
    this.#node = node;
    this.#lines = lines;
  }

  /** @param answer Null: without a server. */
  static async open(answer: DhcpAnswer | null = DECENT): Promise<DhcpLab> {
    const lab = await NetworkLab.open();
    lab.plug();
    lab.node("ip", "link", "set", "v0", "up");
    lab.node("mkdir", "-p", DIRECTORY);
    const node = startNode(lab);
    if (answer !== null) await startServer(lab, answer);
    return new DhcpLab(lab, node, linesOf(node));
  }

  /** Another agent, as after a restart: the clients go on. */
  async another(): Promise<DhcpLab> {
    this.#node.stdin?.end();
    await once(this.#node, "exit");
    const node = startNode(this.lab);
    return new DhcpLab(this.lab, node, linesOf(node));
  }

  /** What the server says from now on. */
  say(answer: Partial<DhcpAnswer>): void {
    this.lab.write(ANSWER, JSON.stringify({ ...DECENT, ...answer }));
  }

  questions(): DhcpQuestion[] {
    const lines = this.lab.read(QUESTIONS).split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as DhcpQuestion);
  }

  /** Calls a method of the clients, for `v0`. */
  async call(method: string, ...words: unknown[]): Promise<unknown> {
    this.#node.stdin?.write(`${JSON.stringify([method, "v0", ...words])}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`the clients ended at ${method}`);
    const { result, log } = JSON.parse(value as string) as DhcpNodeLine;
    this.log.push(...log);
    return result;
  }

  async lease(): Promise<Lease | undefined> {
    return (await this.call("lease")) as Lease | undefined;
  }

  addresses(): string[] {
    return this.lab.addresses("v0");
  }

  /** Routes of the node, without those the kernel made. */
  routes(): string {
    return this.lab.node("ip", "-4", "route", "show", "proto", "210").trim();
  }

  close(): Promise<void> {
    return this.lab.close();
  }
}

async function startServer(lab: NetworkLab, answer: DhcpAnswer): Promise<void> {
  lab.write(ANSWER, JSON.stringify(answer));
  const { namespace, address } = lab.cable(0);
  const program = resolve("test/fixtures/dhcp-server.ts");
  const words = [process.execPath, program, address, ANSWER, QUESTIONS];
  const server = start(lab, ["ip", "netns", "exec", namespace, ...words]);
  if (server.stdout === null) throw new Error("the server has no output");
  await once(server.stdout, "data");
}

function startNode(lab: NetworkLab): ChildProcess {
  const program = resolve("test/fixtures/dhcp-node.ts");
  return start(lab, [process.execPath, program, DIRECTORY, HOOK]);
}

function start(lab: NetworkLab, words: readonly string[]): ChildProcess {
  const [program = "", ...rest] = lab.enter(words);
  return spawn(program, rest, { stdio: ["pipe", "pipe", "inherit"] });
}

function linesOf(node: ChildProcess): AsyncIterator<string> {
  if (node.stdout === null) throw new Error("the clients have no output");
  return createInterface({ input: node.stdout })[Symbol.asyncIterator]();
}
