import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import type { ArpOrder } from "../../fixtures/arp-node.ts";
import type { TlsControllerEvent } from "../../fixtures/tls-controller.ts";
import type { IssuedCertificate } from "./throwaway-ca.ts";

/** What a cable needs of the laboratory it is in. */
export interface CableLab {
  node(...words: string[]): string;
  /** The words of a command that runs on the node's side when it is started outside. */
  enter(words: readonly string[]): string[];
}

export interface DhcpServerOptions {
  /** Last numbers of the first and the last address that are given. Default 50 and 60. */
  readonly range?: readonly [number, number];
  /** Default: the server itself; null for a network without router. */
  readonly router?: string | null;
  /** Default: the server itself. */
  readonly dns?: string;
  /** Default `2m`, which is the shortest dnsmasq gives. */
  readonly lease?: string;
  /** More words for dnsmasq. */
  readonly words?: readonly string[];
}

/**
 * A cable from `v<number>` on the node to `s<number>` in a namespace of its own, with the network
 * 10.9.<number>.0/24 and the address .1 of it at the far end.
 */
export class LabCable {
  readonly address: string;
  readonly namespace: string;
  /** Names of both ends. */
  readonly near: string;
  readonly far: string;
  readonly #lab: CableLab;
  readonly #number: number;

  constructor(lab: CableLab, number: number) {
    this.#lab = lab;
    this.#number = number;
    this.namespace = number === 0 ? "server" : `server${number}`;
    this.near = `v${number}`;
    this.far = `s${number}`;
    this.address = `10.9.${number}.1`;
  }

  /** Lays it; both ends are down then. */
  lay(): void {
    const { near, far, namespace } = this;
    this.#lab.node("ip", "netns", "add", namespace);
    this.#lab.node(
      ..."ip link add".split(" "),
      near,
      "type",
      "veth",
      "peer",
      "name",
      far,
      "netns",
      namespace,
    );
    this.server("ip", "address", "add", `${this.address}/24`, "dev", far);
    this.server("ip", "link", "set", "lo", "up");
    // Two seconds of silence after "up" say nothing about the node.
    this.server("sh", "-c", 'echo 0 >"$0"', `/proc/sys/net/ipv6/conf/${far}/accept_dad`);
  }

  /** Runs a program at the far end. @returns its output. */
  server(...words: string[]): string {
    return this.#lab.node("ip", "netns", "exec", this.namespace, ...words);
  }

  /** Carrier of the near end follows the far one. */
  plug(): void {
    this.server("ip", "link", "set", this.far, "up");
  }

  unplug(): void {
    this.server("ip", "link", "set", this.far, "down");
  }

  startDhcp(options: DhcpServerOptions = {}): void {
    const { range = [50, 60], router = this.address, dns = this.address, lease = "2m" } = options;
    const prefix = `10.9.${this.#number}`;
    this.server(
      ...this.#dnsmasq(),
      `--dhcp-range=${prefix}.${range[0]},${prefix}.${range[1]},${lease}`,
      `--dhcp-option=option:dns-server,${dns}`,
      router === null ? "--dhcp-option=3" : `--dhcp-option=option:router,${router}`,
      "--dhcp-authoritative",
      ...(options.words ?? []),
    );
  }

  /** Router advertisements alone: addresses of `network` (a /64) are made by the node itself. */
  startAdvertisements(network: string, words: readonly string[] = []): void {
    const { far } = this;
    this.server("ip", "-6", "address", "add", `${network}1/64`, "dev", far, "nodad");
    this.server(
      ...this.#dnsmasq(),
      "--enable-ra",
      `--dhcp-range=${network},ra-only,64,2m`,
      ...words,
    );
  }

  /** A server whose leases last some seconds: dnsmasq gives none below two minutes. */
  startShortLeases(seconds: number): void {
    const prefix = `10.9.${this.#number}`;
    const lines = [
      `interface ${this.far}`,
      `start ${prefix}.50`,
      `end ${prefix}.60`,
      "option subnet 255.255.255.0",
      `option router ${this.address}`,
      `option lease ${seconds}`,
      `min_lease ${seconds}`,
      "lease_file /run/udhcpd.leases",
      "pidfile /run/udhcpd.pid",
    ];
    const script = 'echo "$1" >"$0"; touch /run/udhcpd.leases; exec busybox udhcpd -f "$0"';
    const words = ["sh", "-c", script, "/run/udhcpd.conf", lines.join("\n")];
    this.server("setsid", "--fork", "sh", "-c", 'exec "$@" >/dev/null 2>&1', "", ...words);
  }

  stopShortLeases(): void {
    this.#lab.node("sh", "-c", 'kill -KILL "$(cat /run/udhcpd.pid)"');
  }

  /** Says again and again that an address belongs to an invented hardware address. */
  announce(address: string): void {
    const child = this.spawn([process.execPath, resolve("test/fixtures/arp-node.ts")]);
    const order: ArpOrder = {
      do: "send",
      interface: this.far,
      kind: "announcement",
      mac: "02:00:00:00:00:07",
      address,
      count: 50,
      everyMs: 200,
    };
    child.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  /** Ends the server of DHCP or of advertisements; it forgets what it gave. */
  stopDhcp(): void {
    const pidFile = `/run/dnsmasq${this.#number}.pid`;
    const script = 'kill -KILL "$(cat "$0")"; rm -f "$0" "$1"';
    this.#lab.node("sh", "-c", script, pidFile, `/run/dnsmasq${this.#number}.leases`);
  }

  /** Starts a controller; it listens when this resolves, and ends with the laboratory. */
  async startController(issued: IssuedCertificate, port = 443): Promise<LabController> {
    const program = resolve("test/fixtures/tls-controller.ts");
    const options = JSON.stringify({ ...issued, port });
    const child = this.spawn([process.execPath, program, options]);
    const controller = new LabController(child);
    await controller.listening();
    return controller;
  }

  /** Something that accepts connections on a port and says nothing. */
  listenTcp(port: number): void {
    const program =
      "require('net').createServer(() => {}).listen(Number(process.argv[1]), () => console.log('up'))";
    const script = 'exec "$0" -e "$1" -- "$2" >/run/listening 2>&1';
    this.server("setsid", "--fork", "sh", "-c", script, process.execPath, program, `${port}`);
  }

  /** Starts a program at the far end that goes on. */
  spawn(words: readonly string[]): ChildProcess {
    const inside = ["ip", "netns", "exec", this.namespace, ...words];
    const [program = "", ...rest] = this.#lab.enter(inside);
    return spawn(program, rest, { stdio: ["pipe", "pipe", "inherit"] });
  }

  #dnsmasq(): string[] {
    return [
      "dnsmasq",
      `--interface=${this.far}`,
      "--bind-interfaces",
      "--port=0",
      "--no-ping",
      "--conf-file=/dev/null",
      "--user=root",
      `--pid-file=/run/dnsmasq${this.#number}.pid`,
      `--dhcp-leasefile=/run/dnsmasq${this.#number}.leases`,
    ];
  }
}

/** A controller that runs, and who asked it. */
export class LabController {
  readonly handshakes: string[] = [];
  readonly #child: ChildProcess;
  readonly #listening = Promise.withResolvers<void>();

  constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error("the controller has no output");
    createInterface({ input: child.stdout }).on("line", (line) => {
      const event = JSON.parse(line) as TlsControllerEvent;
      if (event.event === "listening") this.#listening.resolve();
      if (event.event === "handshake") this.handshakes.push(event.from);
    });
    child.once("exit", () => this.#listening.reject(new Error("the controller ended")));
    this.#listening.promise.catch(() => {});
  }

  listening(): Promise<void> {
    return this.#listening.promise;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.stdin?.end();
    await ended;
  }
}
