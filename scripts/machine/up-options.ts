import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { AgentError, errorText } from "../../src/base/errors.ts";

export const UP_USAGE = `Usage: scripts/up [options]

Builds the image, starts a controller on this host, makes the machine known to it
with a private configuration, boots the machine in QEMU and says how to reach it.

  --memory MiB         memory of the machine, 256 to 262144 (default 1024)
  --cpus N             processors, 1 to 64 (default 2)
  --nics N             network cards, 0 to 8 (default 1)
  --boot direct|ipxe   kernel handed over by QEMU, or fetched by iPXE over HTTP (default direct)
  --append "WORDS"     added to the kernel command line
  --disk FILE          raw or qcow2 file, or block device, as the machine's first disk
  --zerotier HEX16     network the machine joins, 16 hexadecimal digits
  --no-controller      no controller, no private configuration and so no sshd; the endpoint
                       takes the password of the state directory. Always so with --nics 0
  --state DIR          where the files of this run are kept (default .node0 of the checkout);
                       another directory makes room for another machine
  --json               print the facts as JSON on standard output, progress on standard error
  --foreground         stay, show the serial line, stop the machine on Ctrl-C
  --help               this text`;

/** What the command line of `scripts/up` asks for, checked. */
export interface UpOptions {
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly nics: number;
  readonly boot: "direct" | "ipxe";
  /** Words for the kernel command line; may be empty. */
  readonly append: string;
  /** Absolute path, or null. */
  readonly diskPath: string | null;
  /** False: the machine boots by itself, without what a controller gives it. */
  readonly hasController: boolean;
  /** Absolute path, or null for the directory of the checkout. */
  readonly stateDirectory: string | null;
  readonly isJson: boolean;
  readonly isForeground: boolean;
  readonly isHelp: boolean;
}

/** The kernel keeps 2048 bytes of its command line, and the runner needs some of them. */
const MAX_APPEND = 1500;

/**
 * Reads and checks the words behind `scripts/up`.
 *
 * @throws AgentError `E_USAGE` naming the option, the value seen and what is allowed.
 */
export function parseUpOptions(argv: readonly string[]): UpOptions {
  const values = parse(argv);
  const nics = wholeNumber("--nics", values.nics, { from: 0, to: 8 });
  const boot = values.boot;
  if (boot !== "direct" && boot !== "ipxe") throw unusable("--boot", boot, "direct or ipxe");
  if (boot === "ipxe" && nics === 0) {
    throw unusable("--nics", "0", "at least 1 with --boot ipxe");
  }
  return {
    memoryMiB: wholeNumber("--memory", values.memory, { from: 256, to: 262_144 }),
    cpus: wholeNumber("--cpus", values.cpus, { from: 1, to: 64 }),
    nics,
    boot,
    append: [kernelWords(values.append), ...zerotierWord(values.zerotier)].join(" ").trim(),
    diskPath: values.disk === undefined ? null : diskPath(values.disk),
    hasController: !values["no-controller"] && nics > 0,
    stateDirectory: values.state === undefined ? null : resolve(values.state),
    isJson: values.json,
    isForeground: values.foreground,
    isHelp: values.help,
  };
}

function parse(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      strict: true,
      options: {
        memory: { type: "string", default: "1024" },
        cpus: { type: "string", default: "2" },
        nics: { type: "string", default: "1" },
        boot: { type: "string", default: "direct" },
        append: { type: "string", default: "" },
        disk: { type: "string" },
        zerotier: { type: "string" },
        "no-controller": { type: "boolean", default: false },
        state: { type: "string" },
        json: { type: "boolean", default: false },
        foreground: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    return values;
  } catch (cause) {
    throw new AgentError("E_USAGE", `Cannot read the options: ${errorText(cause)}`, { cause });
  }
}

function wholeNumber(
  option: string,
  seen: string,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  const value = Number(seen);
  if (/^\d+$/.test(seen) && value >= from && value <= to) return value;
  throw unusable(option, seen, `a whole number from ${from} to ${to}`);
}

function kernelWords(seen: string): string {
  if (/^[\x20-\x7e]*$/.test(seen) && seen.length <= MAX_APPEND) return seen;
  throw unusable("--append", seen, `at most ${MAX_APPEND} printable ASCII characters in one line`);
}

function zerotierWord(seen: string | undefined): string[] {
  if (seen === undefined) return [];
  if (!/^[0-9a-fA-F]{16}$/.test(seen)) throw unusable("--zerotier", seen, "16 hexadecimal digits");
  return [`zerotier=${seen.toLowerCase()}`];
}

function diskPath(seen: string): string {
  const wanted = "a file or block device that can be read and written";
  try {
    const path = resolve(seen);
    const stat = statSync(path);
    if (!stat.isFile() && !stat.isBlockDevice()) throw unusable("--disk", seen, wanted);
    accessSync(path, constants.R_OK | constants.W_OK);
    return path;
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    throw unusable("--disk", `${seen} (${errorText(cause)})`, wanted);
  }
}

function unusable(option: string, seen: string, wanted: string): AgentError {
  const shown = seen.length > 80 ? `${seen.slice(0, 77)}...` : seen;
  return new AgentError("E_USAGE", `Cannot use ${option}: ${shown} seen, expected ${wanted}`);
}
