import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export type SshLine = {
  readonly reached?: string;
  readonly lost?: string;
  readonly failed?: string;
};

/**
 * A machine for sshd: mounts, network and processes of its own, the users of the image, and keys in
 * `/mnt/etc/ssh`. Everything in it ends with it.
 */
export class SshLab {
  readonly lines: SshLine[] = [];
  /** Key files of the client: `known` may log in, `unknown` may not. */
  readonly directory: string;
  readonly #holder: ChildProcess;
  readonly #enter: readonly string[];
  #agent: ChildProcess | undefined;
  /** Of the agent, as the machine counts. */
  #pid = 0;

  private constructor(directory: string, holder: ChildProcess, pid: string) {
    this.directory = directory;
    this.#holder = holder;
    this.#enter = ["-t", pid, "--net", "--mount", "--pid", "--wd=/", "--"];
  }

  static async open(): Promise<SshLab> {
    const directory = mkdtempSync(join(tmpdir(), "node0-ssh-"));
    for (const name of ["host", "known", "unknown"]) {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(directory, name)]);
    }
    const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const holder = spawn("unshare", [...namespaces, "sh", "-c", SET_UP, resolve("."), directory], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout as NodeJS.ReadableStream, "data");
    const children = `/proc/${holder.pid}/task/${holder.pid}/children`;
    return new SshLab(directory, holder, readFileSync(children, "utf8").trim());
  }

  /** Starts the agent; `lines` gets what its phase says. */
  start(): void {
    const words = [...this.#enter, process.execPath, resolve("test/fixtures/ssh-node.ts")];
    const agent = spawn("nsenter", words, { stdio: ["pipe", "pipe", "inherit"] });
    this.#agent = agent;
    createInterface({ input: agent.stdout }).on("line", (text) => {
      const line = JSON.parse(text) as SshLine & { readonly pid?: number };
      if (line.pid === undefined) this.lines.push(line);
      else this.#pid = line.pid;
    });
  }

  tell(line: string): void {
    this.#agent?.stdin?.write(`${line}\n`);
  }

  /** As a crash does it. */
  async kill(): Promise<void> {
    const agent = this.#agent;
    if (agent === undefined) return;
    this.shell(`kill -9 ${this.#pid}`);
    await once(agent, "exit");
  }

  /** Runs a script in the machine. @returns its output. */
  shell(script: string): string {
    return execFileSync("nsenter", [...this.#enter, "sh", "-c", script], { encoding: "utf8" });
  }

  writeKey(name: string, text: string): void {
    const file = join(this.directory, "written");
    writeFileSync(file, text);
    this.shell(`install -m 600 ${file} /mnt/etc/ssh/${name}`);
  }

  /** A client of the machine. */
  client(program: "ssh" | "sftp", words: readonly string[], key = "known"): ChildProcess {
    const options = [
      ["IdentitiesOnly", "yes"],
      ["IdentityAgent", "none"],
      ["IdentityFile", join(this.directory, key)],
      ["UserKnownHostsFile", join(this.directory, "known_hosts")],
      ["GlobalKnownHostsFile", "/dev/null"],
      ["StrictHostKeyChecking", "yes"],
      ["NumberOfPasswordPrompts", "0"],
    ].flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const all = [...this.#enter, program, "-F", "/dev/null", ...options, ...words];
    return spawn("nsenter", all, { stdio: ["pipe", "pipe", "pipe"] });
  }

  /** Runs a client to its end. */
  async run(
    program: "ssh" | "sftp",
    words: readonly string[],
    { key = "known", input = "" } = {},
  ): Promise<{ status: number | null; output: string }> {
    const child = this.client(program, words, key);
    let output = "";
    child.stdout?.on("data", (part: Buffer) => (output += part.toString()));
    child.stderr?.on("data", (part: Buffer) => (output += part.toString()));
    child.stdin?.end(input);
    const [status] = (await once(child, "close")) as [number | null];
    return { status, output };
  }

  async stop(): Promise<void> {
    this.#holder.kill("SIGKILL");
    await once(this.#holder, "exit");
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** `$0` is the project, `$1` the directory of the keys; both may lie below a mount that is made here. */
const SET_UP = `
set -e
ip link set lo up
mount --make-rprivate /
for file in passwd group; do mount --bind "$0/initramfs/root/etc/$file" /etc/$file; done
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=755 private /mnt
mkdir -p /mnt/etc/ssh
install -m 600 "$1/host" /mnt/etc/ssh/ssh_host_ed25519_key
install -m 600 "$1/known.pub" /mnt/etc/ssh/authorized_keys
read -r type key _ <"$1/host.pub"
for name in 127.0.0.1 '[127.0.0.1]:2222'; do echo "$name $type $key"; done >"$1/known_hosts"
echo ready
exec sleep infinity
`;
