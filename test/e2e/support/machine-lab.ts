import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import type { Machine } from "../../../scripts/machine/machine.ts";
import { BOOT_LIMIT_MS, openClient, PASSWORD, shell, startNode } from "../support.ts";
import { LAB, LAB_DNSMASQ, type LabFile, writeLabDrive } from "./lab-drive.ts";

/** The two ends of the lab: network namespaces of the machine. */
export type Side = "node" | "server";

/** Modules of kinds of links and queues that kernels of test hosts may lack. */
const MODULES = ["veth", "8021q", "bonding", "sch_netem"];

/** The shell of busybox takes its own small ones for commands of these names. */
const PRELUDE = 'set -e; ip() { /usr/sbin/ip "$@"; }; tc() { /usr/sbin/tc "$@"; }';

/**
 * A network laboratory inside a running node0 machine, for what the kernel of a test host may lack:
 * VLAN tags, bonds, lossy cables. `node` and `server` are network namespaces there, and each test
 * gets fresh ones. The machine's own network is left alone.
 */
export class MachineLab implements AsyncDisposable {
  readonly #machine: Machine;
  readonly #directory: string;
  readonly #client: Redis;

  private constructor(machine: Machine, directory: string) {
    this.#machine = machine;
    this.#directory = directory;
    this.#client = openClient(machine);
  }

  /** @param programs Paths of TypeScript files below the project, see {@link writeLabDrive}. */
  static async open(programs: readonly string[], files: readonly LabFile[]): Promise<MachineLab> {
    const directory = mkdtempSync(join(tmpdir(), "node0-lab-"));
    let machine: Machine | undefined;
    try {
      const drive = join(directory, "lab.cpio");
      await writeLabDrive(drive, programs, files);
      machine = await startNode({ readOnlyDrives: [drive] });
      await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
      const lab = new MachineLab(machine, directory);
      // The driver of the disk may still be on its way when the endpoint answers.
      await lab.shell(`until [ -b /dev/vda ]; do read -r -t 1 x </dev/ptmx; done
        mkdir ${LAB} && cd ${LAB} && cpio -i -d </dev/vda 2>/dev/null
        modprobe -a ${MODULES.join(" ")}`);
      return lab;
    } catch (error) {
      await machine?.stop();
      rmSync(directory, { recursive: true });
      throw error;
    }
  }

  /** Runs a shell script beside the two ends. @returns its output. */
  shell(script: string): Promise<string> {
    return shell(this.#client, `${PRELUDE}\n${script}`);
  }

  /** Runs a shell script on one end. @returns its output. */
  on(side: Side, script: string): Promise<string> {
    return this.shell(
      `ip netns exec ${side} sh <<'END_OF_SCRIPT'\n${PRELUDE}\n${script}\nEND_OF_SCRIPT`,
    );
  }

  /** Ends everything of the last test and makes both ends anew, without a cable between them. */
  async reset(): Promise<void> {
    await this.shell(`for side in node server; do
        [ ! -e /run/netns/$side ] || ip netns pids $side | xargs -r kill -9
        ip netns del $side 2>/dev/null || true
        ip netns add $side
        ip -n $side link set lo up
      done
      rm -rf /run/lab && mkdir -p /run/lab`);
  }

  /** Lays a cable; both ends stay down. */
  async addCable(node: string, server: string): Promise<void> {
    await this.shell(`ip -n node link add ${node} type veth peer name ${server} netns server`);
  }

  /** Starts a DHCP server; it gives 50 to 60 of the network of `address`, which it sets. */
  async startDhcp(name: string, address: string): Promise<void> {
    const network = address.split(".").slice(0, 3).join(".");
    await this.on(
      "server",
      `ip address add ${address}/24 dev ${name}
      ${LAB_DNSMASQ.join(" ")} --interface=${name} --bind-interfaces --except-interface=lo \\
        --port=0 --no-ping --conf-file=/dev/null --user=root --dhcp-authoritative \\
        --pid-file=/run/lab/dnsmasq-${name}.pid --dhcp-leasefile=/run/lab/dnsmasq-${name}.leases \\
        --dhcp-range=${network}.50,${network}.60,2m --dhcp-option=option:dns-server,${address}`,
    );
  }

  /**
   * Starts one of the programs of the drive in the background.
   *
   * @param name Of its output: `/run/lab/NAME.out`.
   */
  async start(side: Side, program: string, options: object, name: string): Promise<void> {
    const argument = JSON.stringify(options).replaceAll("'", "'\\''");
    // A reader that never ends: the programs go on until their standard input does.
    await this.on(
      side,
      `mkfifo /run/lab/${name}.in
      setsid sh -c 'exec node "$0" "$1" 3<>"$2".in <"$2".in >"$2".out 2>&1' \\
        ${LAB}/${program} '${argument}' /run/lab/${name} &`,
    );
  }

  /** Writes one line to the standard input of a program of {@link start}. */
  async order(name: string, order: object): Promise<void> {
    await this.write(`/run/lab/${name}.in`, JSON.stringify(order));
  }

  /** Writes a text and the end of its last line into a file. */
  async write(path: string, text: string): Promise<void> {
    await this.shell(`cat >${path} <<'END_OF_TEXT'\n${text}\nEND_OF_TEXT`);
  }

  /** What a program of {@link start} has printed so far, one JSON value a line. */
  async output<T>(name: string): Promise<T[]> {
    const text = await this.shell(`cat /run/lab/${name}.out`);
    return text
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as T);
  }

  async close(): Promise<void> {
    this.#client.disconnect();
    await this.#machine.stop();
    rmSync(this.#directory, { recursive: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
