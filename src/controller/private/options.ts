import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { AgentError } from "../../base/errors.ts";
import type { OperatorTarget } from "../operator-target.ts";
import type { CreateOptions } from "./create.ts";

/** What `node0 private …` was asked for. All paths are absolute. */
export type PrivateWords =
  | {
      readonly action: "create";
      readonly target: OperatorTarget;
      readonly create: CreateOptions;
    }
  | {
      readonly action: "edit";
      readonly directory: string;
      /** Undefined: nothing is uploaded. */
      readonly target: OperatorTarget | undefined;
      /** Undefined: the editor of the environment. */
      readonly command: readonly string[] | undefined;
    }
  | {
      readonly action: "rotate" | "upload";
      readonly directory: string;
      readonly target: OperatorTarget;
    }
  | {
      readonly action: "verify";
      readonly directory: string;
      readonly target: OperatorTarget | undefined;
    };

/**
 * Reads the words behind `private`.
 *
 * @throws AgentError `E_USAGE`
 */
export function parsePrivateWords(words: readonly string[]): PrivateWords {
  const [action, ...rest] = words;
  switch (action) {
    case "create":
      return parseCreate(rest);
    case "edit":
      return parseEdit(rest);
    case "rotate":
    case "upload": {
      const { values, directory } = parseStored(action, rest, TARGET);
      return { action, directory, target: neededTarget(action, values) };
    }
    case "verify": {
      const { values, directory } = parseStored(action, rest, TARGET);
      return { action, directory, target: optionalTarget(values) };
    }
    default:
      throw usage(
        `Cannot run private ${action ?? ""}: expected create, edit, rotate, upload or verify`,
      );
  }
}

const TEXT = { type: "string" } as const;
const TARGET = { dir: TEXT, url: TEXT, ca: TEXT, "token-file": TEXT } as const;
const NO_UPLOAD = { "no-upload": { type: "boolean" } } as const;

interface TargetValues {
  readonly dir?: string | undefined;
  readonly url?: string | undefined;
  readonly ca?: string | undefined;
  readonly "token-file"?: string | undefined;
}

function parseCreate(words: readonly string[]): PrivateWords {
  const { values } = parse(words, {
    ...TARGET,
    ...NO_UPLOAD,
    mac: { type: "string", multiple: true },
    out: TEXT,
    "authorized-keys": { type: "string", multiple: true },
    "ssh-host-key": TEXT,
    "redis-password-file": TEXT,
    "net-toml": TEXT,
    zerotier: TEXT,
    files: TEXT,
    approve: { type: "boolean" },
  });
  if (values.out === undefined) throw usage("Cannot create: no --out seen, expected a directory");
  const path = <Name extends string>(name: Name, value: string | undefined) =>
    value === undefined ? {} : ({ [name]: given(value) } as { [key in Name]?: string });
  return {
    action: "create",
    target: neededTarget("create", values),
    create: {
      macs: readMacs(values.mac ?? []),
      directory: given(values.out),
      given: {
        authorizedKeys: (values["authorized-keys"] ?? []).map(given),
        ...path("sshHostKey", values["ssh-host-key"]),
        ...path("redisPasswordFile", values["redis-password-file"]),
        ...path("netToml", values["net-toml"]),
        ...path("zerotier", values.zerotier),
        ...path("files", values.files),
      },
      mustUpload: values["no-upload"] !== true,
      mustApprove: values.approve === true,
    },
  };
}

function parseEdit(words: readonly string[]): PrivateWords {
  const dashes = words.indexOf("--");
  const own = dashes < 0 ? words : words.slice(0, dashes);
  const command = dashes < 0 ? undefined : words.slice(dashes + 1);
  if (command?.length === 0) throw usage("Cannot edit: nothing seen behind --, expected a command");
  const { values, directory } = parseStored("edit", own, { ...TARGET, ...NO_UPLOAD });
  const isLocal = values["no-upload"] === true;
  const target = isLocal ? undefined : neededTarget("edit", values);
  return { action: "edit", directory, target, command };
}

function parseStored<const Options extends NonNullable<Parameters<typeof parseArgs>[0]>["options"]>(
  action: string,
  words: readonly string[],
  options: Options,
) {
  const { values, positionals } = parse(words, options, true);
  const [directory] = positionals;
  if (directory === undefined || directory === "" || positionals.length > 1) {
    throw usage(
      `Cannot ${action}: ${positionals.length} directories seen, expected the one of the machine`,
    );
  }
  return { values, directory: resolve(directory) };
}

function parse<const Options extends NonNullable<Parameters<typeof parseArgs>[0]>["options"]>(
  words: readonly string[],
  options: Options,
  allowPositionals = false,
) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals, strict: true });
  } catch (error) {
    throw usage(`Cannot read options: ${(error as Error).message}`);
  }
}

function neededTarget(action: string, values: TargetValues): OperatorTarget {
  const target = optionalTarget(values);
  if (target !== undefined) return target;
  throw usage(`Cannot ${action}: no controller seen, expected --dir or --url`);
}

function optionalTarget(values: TargetValues): OperatorTarget | undefined {
  const { dir, url, ca, "token-file": token } = values;
  if (dir !== undefined) {
    if (url !== undefined || ca !== undefined || token !== undefined) {
      throw usage("Cannot use --dir with --url, --ca or --token-file: expected one or the other");
    }
    return { dir: given(dir) };
  }
  if (url === undefined && ca === undefined && token === undefined) return undefined;
  if (url === undefined || ca === undefined || token === undefined) {
    throw usage("Cannot reach a controller: expected all of --url, --ca and --token-file");
  }
  return { url, caFile: given(ca), tokenFile: given(token) };
}

function readMacs(seen: readonly string[]): string[] {
  const macs = seen.map((mac) => mac.toLowerCase().replaceAll("-", ":"));
  const wrong = macs.findIndex((mac) => !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac));
  if (wrong >= 0) {
    throw usage(`Cannot use --mac ${seen[wrong]}: expected six bytes like 52:54:00:12:34:56`);
  }
  const unique = [...new Set(macs)];
  if (unique.length >= 1 && unique.length <= 64) return unique;
  throw usage(`Cannot create: ${unique.length} --mac seen, expected 1 to 64`);
}

function given(path: string): string {
  if (path !== "") return resolve(path);
  throw usage("Cannot use an option: an empty text seen, expected a path");
}

const usage = (message: string): AgentError => new AgentError("E_USAGE", message);
