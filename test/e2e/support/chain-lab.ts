import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureImage, type ImageFiles } from "../../../scripts/machine/image.ts";
import type { Machine } from "../../../scripts/machine/machine.ts";
import type { MachineOptions } from "../../../scripts/machine/options.ts";
import { macOf } from "../../../scripts/machine/qemu-arguments.ts";
import { OperatorClient } from "../../../src/controller/operator-client.ts";
import type { AuditEntry, NodeRecord, Policy } from "../../../src/controller/types.ts";
import { TestController } from "../../integration/support/controller.ts";
import { ROOT, startNode } from "../support.ts";
import { writeInitrd } from "./extra-initrd.ts";
import { runNode0 } from "./node0.ts";
import type { SshTarget } from "./ssh.ts";

/** Where a machine in a user network of QEMU finds the loopback of this host. */
const HOST = "10.0.2.2";

/** What the image of a machine is given beside what all machines have. */
export interface BootOptions extends Partial<Omit<MachineOptions, "kernel" | "initrd">> {
  /** PEM; default the CA of the controller. */
  readonly ca?: string;
  /** True: the ciphertext lies in the image. Default: it is fetched. */
  readonly isBaked?: boolean;
  /** Further texts over those of the image, by path without a slash in front. */
  readonly texts?: Readonly<Record<string, string>>;
}

/**
 * A controller on this host, and one machine with the private configuration that was made for it. The
 * machine has no password of its own: its endpoint opens with the private one or not at all.
 */
export class ChainLab implements AsyncDisposable {
  readonly controller: TestController;
  readonly operator: OperatorClient;
  /** What the operator keeps of the machine; empty until {@link createPrivate}. */
  readonly privateDirectory: string;
  readonly #directory: string;
  readonly #image: ImageFiles;
  #machines = 0;

  private constructor(directory: string, image: ImageFiles) {
    this.#directory = directory;
    this.#image = image;
    this.privateDirectory = join(directory, "machine");
    this.controller = new TestController(join(directory, "controller"), ["--name", HOST]);
    this.operator = new OperatorClient({ dir: this.controller.directory });
  }

  /** Builds the image of this checkout where it is out of date, and starts the controller. */
  static async open(policy: Policy = "manual"): Promise<ChainLab> {
    const image = await ensureImage(ROOT);
    const lab = new ChainLab(mkdtempSync(join(tmpdir(), "node0-chain-")), image);
    try {
      await lab.controller.start();
      await lab.operator.setPolicy(policy);
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  /** As the machine knows the controller. */
  get url(): string {
    return `https://${HOST}:${new URL(this.controller.url).port}`;
  }

  /** Starts the controller again where it was. */
  async startController(): Promise<void> {
    await this.controller.start(new URL(this.controller.url).host);
  }

  /** Makes the private configuration of the machine and gives it to the controller. */
  async createPrivate(...words: readonly string[]): Promise<void> {
    const machine = ["--mac", macOf(0), "--out", this.privateDirectory];
    await runNode0("private", "create", ...machine, ...this.#target, ...words);
  }

  /** Changes it with a command that runs where its files are, and gives it to the controller. */
  async editPrivate(...command: readonly string[]): Promise<void> {
    await runNode0("private", "edit", this.privateDirectory, ...this.#target, "--", ...command);
  }

  /** Gives what the operator has to the controller again. */
  async uploadPrivate(): Promise<void> {
    await runNode0("private", "upload", this.privateDirectory, ...this.#target);
  }

  /** Id of the machine. */
  get id(): string {
    return (JSON.parse(this.#read("node.json")) as { node: string }).node;
  }

  /** Password of the endpoint. */
  get password(): string {
    return this.#read("access/redis-password").trim();
  }

  /** Passphrase of the ciphertext. */
  get key(): string {
    return this.#read("key").trim();
  }

  sshTarget({ sshPort: port }: Pick<Machine, "sshPort">): SshTarget {
    const access = join(this.privateDirectory, "access");
    const files = { identity: join(access, "id_ed25519"), knownHosts: join(access, "known_hosts") };
    return { port, ...files, alias: this.id };
  }

  node(): Promise<NodeRecord> {
    return this.operator.getNode(this.id);
  }

  /** The audit log, oldest first. */
  audit(): Promise<readonly AuditEntry[]> {
    return this.operator.audit(0, 1000);
  }

  /** How often the machine was given its key. */
  async keysGiven(): Promise<number> {
    const entries = await this.audit();
    return entries.filter(({ action, outcome }) => action === "unlock" && outcome === "approved")
      .length;
  }

  /** Boots the image as that machine; the caller stops it. */
  async boot({ ca, isBaked = false, texts, ...options }: BootOptions = {}): Promise<Machine> {
    const { kernel, initrd } = this.#image;
    this.#machines += 1;
    const target = join(this.#directory, `initrd-${this.#machines}`);
    await writeInitrd(target, {
      initrd,
      files: {
        "etc/g8os/net.toml": `[[controller]]\nurl = "${this.url}"\nca = "/etc/g8os/controller-ca.crt"\n`,
        "etc/g8os/controller-ca.crt": ca ?? this.controller.ca,
        ...texts,
      },
      trees: isBaked ? { "etc/g8os/private": join(this.privateDirectory, "ciphertext") } : {},
    });
    try {
      return await startNode({ kernel, initrd: target, password: null, ...options });
    } finally {
      rmSync(target); // its runner has copied it
    }
  }

  async close(): Promise<void> {
    await this.controller.remove();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #target(): string[] {
    return ["--dir", this.controller.directory];
  }

  #read(path: string): string {
    return readFileSync(join(this.privateDirectory, path), "utf8");
  }
}
