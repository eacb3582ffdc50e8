import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { AgentError, errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Files } from "../sys/files.ts";
import { readArchive } from "./controller-answers.ts";
import { PRIVATE_PATH } from "./controller-api.ts";
import type { ControllerClient } from "./controller-client.ts";
import { ARCHIVE_LIMITS } from "./controller-request.ts";
import { parseUstar } from "./ustar.ts";
import { placeTree, writeTree } from "./ustar-tree.ts";

/** Where ciphertext may be. */
export interface CiphertextSource {
  readonly client: Pick<ControllerClient, "ask">;
  readonly files: Pick<Files, "exists">;
  readonly log: Logger;
  readonly directories: { readonly baked: string; readonly fetched: string };
}

export interface FetchRequest extends CiphertextSource {
  /** Of the node, to ask by. */
  readonly mac: string;
  /** What the archive has to be; default anything that is ciphertext. */
  readonly sha256?: string;
  readonly signal: AbortSignal;
}

export interface CiphertextRequest extends FetchRequest {
  /** What the unlock answer says about the ciphertext: its digest is empty for none. */
  readonly sha256: string;
  /** Of the archive that was just unpacked as the fetched directory, where it is known. */
  readonly unpacked?: string | undefined;
}

export interface Ciphertext {
  readonly directory: string;
  readonly origin: "from the image" | "fetched";
}

const CONFIG = "gocryptfs.conf";

/**
 * The ciphertext that belongs to the key. That of the image is used when it is the one the controller
 * knows, or the controller knows none; any other is fetched. Archives are the same bytes for the same
 * files, so a directory is compared by packing it.
 *
 * @throws AgentError `E_VAULT_CIPHERTEXT` | `E_CONTROLLER`.
 */
export async function findCiphertext(request: CiphertextRequest): Promise<Ciphertext> {
  const { files, directories, sha256, log, unpacked } = request;
  const { baked, fetched } = directories;
  const isBaked = files.exists(`${baked}/${CONFIG}`);
  if (sha256 === "") {
    if (isBaked) return { directory: baked, origin: "from the image" };
    throw damaged("neither the image nor the controller has a private configuration");
  }
  if (isBaked) {
    if (digestOf(baked, log) === sha256) return { directory: baked, origin: "from the image" };
    log.info("private configuration of the image is not that of the controller", { baked });
  }
  if (files.exists(`${fetched}/${CONFIG}`) && (unpacked ?? digestOf(fetched, log)) === sha256) {
    return { directory: fetched, origin: "fetched" };
  }
  await fetchCiphertext(request);
  return { directory: fetched, origin: "fetched" };
}

/** Whether a directory holds the ciphertext of this digest. */
export function isCiphertext(directory: string, sha256: string, log: Logger): boolean {
  return digestOf(directory, log) === sha256;
}

/** Whether there is any, be it the right one or not. */
export function hasCiphertext({
  files,
  directories,
}: Pick<CiphertextSource, "files" | "directories">): boolean {
  const { baked, fetched } = directories;
  return [baked, fetched].some((directory) => files.exists(`${directory}/${CONFIG}`));
}

/**
 * @returns SHA-256 of the archive that is unpacked now.
 * @throws AgentError `E_VAULT_CIPHERTEXT` | `E_CONTROLLER`; what was fetched before is as it was then.
 */
export async function fetchCiphertext(request: FetchRequest): Promise<string> {
  const { client, sha256, mac, signal, directories } = request;
  const { fetched: directory } = directories;
  const { answer } = await client.ask({
    method: "GET",
    path: `${PRIVATE_PATH}${mac}`,
    limits: ARCHIVE_LIMITS,
    signal,
    read: (reply) => {
      const archive = readArchive(reply);
      if (archive === undefined) throw unusable("it has no ciphertext for this machine");
      const seen = sha256Of(archive);
      // Also when a new one was uploaded between the two requests: the next attempt gets that.
      if (sha256 !== undefined && seen !== sha256) {
        throw unusable("the ciphertext it sent has another SHA-256");
      }
      return { archive, seen };
    },
  });
  const { archive, seen } = answer;
  let entries: ReturnType<typeof parseUstar>;
  try {
    entries = parseUstar(archive);
  } catch (error) {
    throw damaged(`the archive of the controller cannot be used: ${errorText(error)}`);
  }
  if (!entries.some(({ path, kind }) => path === CONFIG && kind === "file")) {
    throw damaged(`the archive of the controller has no ${CONFIG}`);
  }
  mkdirSync(dirname(directory), { recursive: true, mode: 0o700 });
  placeTree(entries, directory);
  return seen;
}

/** Undefined for a directory that cannot be packed, which then is not the right one. */
function digestOf(directory: string, log: Logger): string | undefined {
  try {
    return sha256Of(writeTree(directory));
  } catch (error) {
    log.warn("ciphertext cannot be compared", { directory, cause: errorText(error) });
    return undefined;
  }
}

const sha256Of = (bytes: Uint8Array): string =>
  process.getBuiltinModule("node:crypto").createHash("sha256").update(bytes).digest("hex");

const damaged = (message: string): AgentError => new AgentError("E_VAULT_CIPHERTEXT", message);
const unusable = (message: string): AgentError => new AgentError("E_CONTROLLER", message);
