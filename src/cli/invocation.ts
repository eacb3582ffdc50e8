import type { Client } from "../client/client.ts";
import type { Limits } from "../client/limits.ts";
import type { CommandSpec } from "./grammar.ts";
import type { Input } from "./input.ts";
import type { Io } from "./io.ts";
import { choosePaint, type Paint } from "./paint.ts";
import { resolveTarget, type Target } from "./target.ts";
import { formatYaml } from "./yaml.ts";

export type Format = "table" | "json" | "yaml";

/** How long a question that the node answers at once may take. */
const ANSWER_MS = 30_000;

/** One run of one command: what was asked, the surroundings, the node. */
export class Invocation {
  readonly input: Input;
  readonly io: Io;
  /** The whole table, for help and completion. */
  readonly commands: readonly CommandSpec[];
  /** For texts on standard output. */
  readonly paint: Paint;
  #client: Client | undefined;

  constructor(input: Input, io: Io, commands: readonly CommandSpec[]) {
    this.input = input;
    this.io = io;
    this.commands = commands;
    this.paint = choosePaint(io.stdout, io.env);
  }

  /** Undefined when none was asked for: most commands then print tables. */
  get format(): Format | undefined {
    return this.input.text("output") as Format | undefined;
  }

  /** `--timeout` in milliseconds. */
  get timeoutMs(): number | undefined {
    const seconds = this.input.number("timeout");
    return seconds === undefined ? undefined : Math.ceil(seconds * 1000);
  }

  /** Limits of a question that is answered at once. */
  get limits(): Limits {
    return { timeoutMs: this.timeoutMs ?? ANSWER_MS };
  }

  target(): Target {
    const { input, io } = this;
    return resolveTarget({
      host: input.text("host"),
      port: input.number("port"),
      socket: input.text("socket"),
      passwordFile: input.text("password-file"),
      tls: input.flag("tls"),
      caFile: input.text("ca-file"),
      context: input.text("context"),
      environmentContext: io.env["NODE0_CONTEXT"],
      cwd: io.cwd,
    });
  }

  /** The client of the target; the same one at every call. */
  async connect(): Promise<Client> {
    if (this.#client !== undefined) return this.#client;
    const target = this.target();
    const { connect } = await import("../client/connect.ts");
    this.#client = await connect({
      ...(target.socket === ""
        ? { host: target.host, port: target.port, tls: target.tls, caFile: target.caFile }
        : { path: target.socket }),
      passwordFile: target.passwordFile,
      timeoutMs: this.timeoutMs,
    });
    return this.#client;
  }

  /** Prints a value as JSON or YAML when asked for, else what `table` makes of it. */
  async print(value: unknown, table: () => string, fallback: Format = "table"): Promise<void> {
    const format = this.format ?? fallback;
    if (format === "json") await this.io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    else if (format === "yaml") await this.io.stdout.write(formatYaml(value));
    else await this.io.stdout.write(table());
  }

  /** One line for the person, on standard error. */
  async note(text: string): Promise<void> {
    await this.io.stderr.write(`node0: ${text}\n`);
  }

  close(): void {
    this.#client?.close();
  }
}
