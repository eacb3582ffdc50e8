import { CommandError } from "../command/command.ts";
import { ownCommand } from "../job/own-command.ts";
import type { OwnJobs } from "../job/types.ts";
import { perAgent } from "./per-agent.ts";

/** A program that reports to an rtinfo server. */
export interface Reporter {
  readonly host: string;
  readonly port: number;
  /** Beginnings of the names of disks it looks at. */
  readonly disks: readonly string[];
}

const PROGRAM = "rtinfo-client";
const LARGEST_PORT = 65_535;

/** The reporters that run, each a job of the node. */
class Reporters {
  readonly #ownJobs: OwnJobs;
  readonly #running = new Map<string, Reporter & { readonly drop: () => Promise<void> }>();

  constructor(ownJobs: OwnJobs) {
    this.#ownJobs = ownJobs;
  }

  /** @throws CommandError 406 when there is one for this host and port, 500 for others than such. */
  start(reporter: Reporter): void {
    const { host, port, disks } = reporter;
    check(reporter);
    const name = nameOf(reporter);
    if (this.#running.has(name)) {
      throw new CommandError(406, `Cannot start reporter: one reports to ${name} already`);
    }
    const args = ["--host", host, "--port", String(port)];
    for (const disk of disks) args.push("--disk", disk);
    let hasEnded = false;
    const drop = this.#ownJobs.startProgram(
      ownCommand(`rtinfo-${name}`, PROGRAM, { arguments: { host, port, disks } }),
      { name: PROGRAM, args, dir: "", env: {}, stdin: "", showPid: true },
      {
        onRunEnd: () => {
          hasEnded = true;
          this.#running.delete(name);
        },
      },
    );
    // A program that is not installed may have ended before there was anything to remember.
    if (!hasEnded) this.#running.set(name, { ...reporter, drop });
  }

  list(): Record<string, Reporter> {
    return Object.fromEntries(
      [...this.#running].map(([name, { host, port, disks }]) => [name, { host, port, disks }]),
    );
  }

  /** Resolves when its process is gone. Unknown ones are fine. */
  async stop(reporter: Pick<Reporter, "host" | "port">): Promise<void> {
    await this.#running.get(nameOf(reporter))?.drop();
  }
}

export const reportersOf = perAgent(({ ownJobs }) => new Reporters(ownJobs));

function nameOf({ host, port }: Pick<Reporter, "host" | "port">): string {
  return `${host}:${port}`;
}

/** What begins with a dash could be taken for an option. */
function check({ host, port, disks }: Reporter): void {
  if (!/^[\w:[][\w.:%[\]-]*$/.test(host)) {
    const seen = JSON.stringify(host.slice(0, 100));
    throw new CommandError(500, `Cannot start reporter: host ${seen} seen, expected a host name`);
  }
  if (port < 1 || port > LARGEST_PORT) {
    const wanted = `1 to ${LARGEST_PORT}`;
    throw new CommandError(500, `Cannot start reporter: port ${port} seen, expected ${wanted}`);
  }
  const wrong = disks.find((disk) => !/^\w[\w.-]*$/.test(disk));
  if (wrong === undefined) return;
  const seen = JSON.stringify(wrong.slice(0, 100));
  throw new CommandError(500, `Cannot start reporter: disk ${seen} seen, expected a name`);
}
