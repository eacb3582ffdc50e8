import { expect } from "vitest";
import { HOME, NETWORK, OverlayLab, realZeroTier } from "./overlay-lab.ts";

/** A node with a service, and somebody who authorises nodes. */
export interface OverlayWorld {
  readonly lab: OverlayLab;
  /** Network the node is told to join. */
  readonly network: string;
  /** Beginning of every address it may get. */
  readonly subnet: string;
  /** Lets the node in. It is refused before. */
  authorise(): Promise<void>;
}

export interface WorldKind {
  readonly name: string;
  /** Why it cannot be opened here. */
  readonly missing: string | undefined;
  /** Until a node without peers gives up on an answer and asks again. */
  readonly limitMs: number;
  open(): Promise<OverlayWorld>;
}

export const standInWorld: WorldKind = {
  name: "the stand-in",
  missing: undefined,
  limitMs: 20_000,
  async open() {
    const lab = await OverlayLab.open();
    lab.installStandIn();
    lab.setScenario({ networks: { [NETWORK]: [{ status: "ACCESS_DENIED" }] } });
    const steps = [{ status: "OK", addresses: ["10.147.17.5/24"] }];
    const authorise = async (): Promise<void> => {
      lab.setScenario({ networks: { [NETWORK]: steps } });
    };
    return { lab, network: NETWORK, subnet: "10.147.17.", authorise };
  },
};

const program = realZeroTier();

/**
 * The real program as node and, in a namespace beside it, as controller and only root. Nothing leaves
 * the lab: the node finds the controller by a moon that comes with its configuration. Written from the
 * documentation of the program and not tried yet: no machine of the project had it.
 */
export const realWorld: WorldKind = {
  name: "the real zerotier-one",
  missing: program === undefined ? "zerotier-one is not on PATH" : undefined,
  limitMs: 90_000,
  async open() {
    if (program === undefined) throw new Error("zerotier-one is not on PATH");
    const lab = await OverlayLab.open();
    lab.installReal(program);
    const controller = new Controller(lab, program);
    await controller.start();
    controller.giveMoonToNode();
    await controller.restart();
    const network = await controller.createNetwork();
    const authorise = async (): Promise<void> => {
      const [nodeId = ""] = lab.read(`${HOME}/identity.public`).split(":");
      await controller.ask("POST", `/controller/network/${network}/member/${nodeId}`, {
        authorized: true,
      });
    };
    return { lab, network, subnet: "10.147.17.", authorise };
  },
};

const DIRECTORY = "/run/controller";
const CONTROLLER_ADDRESS = "10.8.0.1";

/** A zerotier-one of its own with its built-in network controller. */
class Controller {
  readonly #lab: OverlayLab;
  readonly #program: string;

  constructor(lab: OverlayLab, path: string) {
    this.#lab = lab;
    this.#program = path;
  }

  async start(): Promise<void> {
    const lab = this.#lab;
    lab.run("ip", "netns", "add", "controller");
    lab.run(..."ip link add n0 type veth peer name c0 netns controller".split(" "));
    lab.run(..."ip address add 10.8.0.2/24 dev n0".split(" "));
    lab.run(..."ip link set n0 up".split(" "));
    this.#inside("ip", "address", "add", `${CONTROLLER_ADDRESS}/24`, "dev", "c0");
    this.#inside("ip", "link", "set", "c0", "up");
    this.#inside("ip", "link", "set", "lo", "up");
    lab.run("mkdir", "-p", `${DIRECTORY}/moons.d`);
    await this.restart();
  }

  async restart(): Promise<void> {
    const before = this.#lab.read(`${DIRECTORY}/zerotier-one.pid`).trim();
    if (before !== "") {
      this.#lab.run("kill", before);
      const isGone = (): string => this.#lab.read(`/proc/${before}/comm`);
      await expect.poll(isGone, { timeout: 20_000 }).toBe("");
    }
    const start = 'exec "$0" -U -p9993 "$1" >/dev/null 2>&1';
    this.#inside("setsid", "--fork", "sh", "-c", start, this.#program, DIRECTORY);
    const answers = (): Promise<boolean> =>
      this.ask("GET", "/status", undefined).then(
        () => true,
        () => false,
      );
    await expect.poll(answers, { timeout: 60_000, interval: 500 }).toBe(true);
  }

  /** The controller becomes a root that is found at a fixed address. */
  giveMoonToNode(): void {
    const lab = this.#lab;
    const text = lab.run(this.#program, "-i", "initmoon", `${DIRECTORY}/identity.public`);
    const moon = JSON.parse(text) as { roots: { stableEndpoints: string[] }[] };
    for (const root of moon.roots) root.stableEndpoints = [`${CONTROLLER_ADDRESS}/9993`];
    lab.write(`${DIRECTORY}/made/moon.json`, JSON.stringify(moon));
    const make =
      'cd "$1" && "$0" -i genmoon moon.json && mkdir -p "$3" && cp ./*.moon "$2" && cp ./*.moon "$3"';
    const configuration = "/etc/g8os/zerotier/moons.d";
    const places = [`${DIRECTORY}/made`, `${DIRECTORY}/moons.d`, configuration];
    lab.run("sh", "-c", make, this.#program, ...places);
  }

  async createNetwork(): Promise<string> {
    const { address } = (await this.ask("GET", "/status", undefined)) as { address: string };
    const network = (await this.ask("POST", `/controller/network/${address}______`, {
      name: "lab",
      private: true,
      v4AssignMode: { zt: true },
      ipAssignmentPools: [{ ipRangeStart: "10.147.17.10", ipRangeEnd: "10.147.17.200" }],
      routes: [{ target: "10.147.17.0/24", via: null }],
    })) as { nwid: string };
    return network.nwid;
  }

  /** One request to the controller's local API. */
  async ask(method: string, path: string, body: unknown): Promise<unknown> {
    const token = this.#lab.read(`${DIRECTORY}/authtoken.secret`).trim();
    const text = body === undefined ? "" : JSON.stringify(body);
    const script = `
      const [method, path, token, text] = process.argv.slice(1);
      const body = text === "" ? undefined : text;
      fetch("http://127.0.0.1:9993" + path, { method, body, headers: { "X-ZT1-Auth": token } })
        .then((answer) => answer.ok ? answer.text() : Promise.reject(new Error(answer.status)))
        .then((answer) => process.stdout.write(answer));
    `;
    const words = ["-e", script, "--", method, path, token, text];
    return JSON.parse(this.#inside(process.execPath, ...words)) as unknown;
  }

  #inside(...words: string[]): string {
    return this.#lab.run("ip", "netns", "exec", "controller", ...words);
  }
}
