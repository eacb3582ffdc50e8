import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { AgentError, errorCode, errorText } from "../base/errors.ts";

const USAGE = `Usage: node0 controller serve --dir DIR --listen ADDRESS:PORT [--name HOST]...
                              [--certificate FILE --key FILE] [--master-key-file FILE]
                              [--pending-days N]
       node0 controller backup FILE --dir DIR
       node0 controller restore FILE --dir DIR
       node0 controller token [--new] --dir DIR
       node0 controller ca --dir DIR
       node0 controller nodes|policy|audit ...
`;

const OPTIONS = {
  dir: { type: "string" },
  listen: { type: "string" },
  name: { type: "string", multiple: true },
  certificate: { type: "string" },
  key: { type: "string" },
  "master-key-file": { type: "string" },
  "pending-days": { type: "string" },
  new: { type: "boolean" },
} as const;

interface Words {
  readonly directory: string;
  readonly listen: string | undefined;
  readonly names: readonly string[];
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly masterKeyFile: string | undefined;
  readonly pendingDays: number | undefined;
  readonly isNew: boolean;
  readonly operands: readonly string[];
}

/**
 * Runs `node0 controller …`.
 *
 * @returns Exit code: 0, 1 when the work failed, 2 for wrong words.
 */
export async function runControllerCommand(argv: readonly string[]): Promise<number> {
  const [name = "", ...rest] = argv;
  if (name === "nodes" || name === "policy" || name === "audit") {
    const { runOperatorCommand } = await import("./operator/command.ts");
    return await runOperatorCommand(argv);
  }
  if (argv.includes("--help") || argv.includes("-h")) {
    process.stdout.write(USAGE);
    return 0;
  }
  const action = ACTIONS[name];
  try {
    if (action === undefined) throw wrongUse("no such command");
    const parsed = parseWords(rest);
    // SQLite and tar know no modes of their own: nothing a controller writes is for others.
    process.umask(0o077);
    return await action(parsed);
  } catch (error) {
    const isUsage = error instanceof AgentError && error.code === "E_USAGE";
    process.stderr.write(`controller: ${errorText(error)}\n${isUsage ? USAGE : ""}`);
    return isUsage ? 2 : 1;
  }
}

const ACTIONS: Readonly<Record<string, (words: Words) => Promise<number>>> = {
  serve: runServe,
  backup: runBackup,
  restore: runRestore,
  token: runToken,
  ca: (words) => printFile(words, "ca.crt"),
};

async function runServe(words: Words): Promise<number> {
  const [{ openLogger }, { systemClock }, { readMasterKey, MASTER_KEY_VARIABLE }, service] =
    await Promise.all([
      import("../log/logger.ts"),
      import("../sys/clock.ts"),
      import("./store-key.ts"),
      import("./server-service.ts"),
    ]);
  const listen = parseListen(words.listen ?? "");
  const { directory, certificate, key } = words;
  if ((certificate === undefined) !== (key === undefined) || words.operands.length > 0) {
    throw wrongUse("certificate and key belong together");
  }
  const environment = process.env[MASTER_KEY_VARIABLE];
  delete process.env[MASTER_KEY_VARIABLE];
  const masterKey = readMasterKey({ directory, file: words.masterKeyFile, environment });
  const log = openLogger({
    level: "info",
    sink: { write: (line) => void process.stdout.write(line) },
  }).child("controller");
  const stopped = Promise.withResolvers<string>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, stopped.resolve);
  const controller = await service.startController({
    ...{ directory, masterKey, listen, names: words.names, clock: systemClock, log },
    tls: certificate === undefined || key === undefined ? undefined : { certificate, key },
    pendingDays: words.pendingDays,
  });
  log.info("Controller serves", { url: controller.url, directory });
  log.info("Controller stops", { signal: await stopped.promise });
  await controller.stop();
  return 0;
}

async function runBackup({ directory, operands }: Words): Promise<number> {
  const { backUp } = await import("./store-backup.ts");
  await backUp(directory, oneFile(operands));
  return 0;
}

async function runRestore({ directory, operands }: Words): Promise<number> {
  const { restore } = await import("./store-backup.ts");
  await restore(oneFile(operands), directory);
  return 0;
}

async function runToken(words: Words): Promise<number> {
  if (!words.isNew) return await printFile(words, "operator-token");
  const { replaceToken } = await import("./server-token.ts");
  process.stdout.write(`${replaceToken(words.directory)}\n`);
  return 0;
}

async function printFile({ directory }: Words, name: string): Promise<number> {
  const path = join(directory, name);
  try {
    process.stdout.write(readFileSync(path, "utf8"));
  } catch (error) {
    throw new AgentError(
      "E_CONTROLLER_FILE",
      `Cannot read ${path}: ${errorCode(error)}, expected the directory of a controller that was started`,
    );
  }
  return 0;
}

function parseWords(argv: readonly string[]): Words {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: OPTIONS,
      allowPositionals: true,
    });
    if (values.dir === undefined || values.dir === "") throw wrongUse("no directory");
    return {
      directory: values.dir,
      listen: values.listen,
      names: values.name ?? [],
      certificate: values.certificate,
      key: values.key,
      masterKeyFile: values["master-key-file"],
      pendingDays: parseDays(values["pending-days"]),
      isNew: values.new ?? false,
      operands: positionals,
    };
  } catch (error) {
    throw wrongUse(errorText(error));
  }
}

/** `ADDRESS:PORT`, IPv6 in brackets; port 0 takes any free one. */
function parseListen(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port = ""] =
    /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? "";
  if (isIP(host) === 0 || Number(port) > 65_535) throw wrongUse("no address to listen on");
  return { host, port: Number(port) };
}

function parseDays(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw wrongUse(`cannot use ${text} for days: expected a whole number from 1 on`);
}

function oneFile(operands: readonly string[]): string {
  const [file, ...more] = operands;
  if (file === undefined || more.length > 0) throw wrongUse("expected one file");
  return file;
}

function wrongUse(message: string): AgentError {
  return new AgentError("E_USAGE", message);
}
