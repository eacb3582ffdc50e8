import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { errorCode, errorText } from "../../base/errors.ts";
import { PRIVATE_FILES } from "../../vault/controller-api.ts";
import { MANIFEST_PATH } from "../../vault/private-manifest.ts";
import type { UstarEntry } from "../../vault/ustar.ts";
import { readTree } from "../../vault/ustar-tree.ts";
import { privateError } from "./errors.ts";
import { PlainTree } from "./plain-tree.ts";
import { checkAuthorizedKeys, completeSshKey, makeSshKey } from "./ssh-keys.ts";
import type { WorkDirectory } from "./work-directory.ts";

/** Files an operator gives; what is not given is made. */
export interface GivenFiles {
  readonly authorizedKeys: readonly string[];
  readonly sshHostKey?: string;
  readonly redisPasswordFile?: string;
  readonly netToml?: string;
  readonly zerotier?: string;
  readonly files?: string;
}

export interface Contents {
  /** All but the client certificate. */
  readonly tree: PlainTree;
  /** Files of `access/` that are not in the configuration itself. */
  readonly access: readonly UstarEntry[];
}

/**
 * Puts the private configuration of a machine together.
 *
 * @param name Of the machine, for the comments of keys.
 * @throws AgentError `E_PRIVATE`
 */
export async function gatherContents(
  given: GivenFiles,
  { work, name }: { readonly work: WorkDirectory; readonly name: string },
): Promise<Contents> {
  const tree = new PlainTree();
  const access = new PlainTree();
  const hostKey =
    given.sshHostKey === undefined
      ? await makeSshKey(work, name)
      : await completeSshKey(work, readGiven("--ssh-host-key", given.sshHostKey), given.sshHostKey);
  tree.set(PRIVATE_FILES.sshHostKey, hostKey.privateKey);
  tree.set(`${PRIVATE_FILES.sshHostKey}.pub`, hostKey.publicKey);

  const keys: string[] = [];
  for (const path of given.authorizedKeys) {
    const text = readGiven("--authorized-keys", path);
    await checkAuthorizedKeys(work, text, path);
    keys.push(text.endsWith("\n") ? text : `${text}\n`);
  }
  if (keys.length === 0) {
    const identity = await makeSshKey(work, `operator of ${name}`);
    keys.push(identity.publicKey);
    access.set("id_ed25519", identity.privateKey);
    access.set("id_ed25519.pub", identity.publicKey);
  }
  tree.set(PRIVATE_FILES.authorizedKeys, keys.join(""));

  const password =
    given.redisPasswordFile === undefined
      ? randomBytes(32).toString("base64url")
      : (readGiven("--redis-password-file", given.redisPasswordFile).split(/\r?\n/)[0] ?? "");
  tree.set(PRIVATE_FILES.redisPassword, `${password}\n`);

  if (given.netToml !== undefined) {
    tree.set(PRIVATE_FILES.netToml, readGiven("--net-toml", given.netToml));
  }
  if (given.zerotier !== undefined) addZerotier(tree, given.zerotier);
  if (given.files !== undefined) addFiles(tree, given.files);
  return { tree, access: access.entries() };
}

function addZerotier(tree: PlainTree, directory: string): void {
  const entries = readDirectory(directory);
  if (!entries.some(({ path }) => path === "identity.secret")) {
    throw privateError(
      `Cannot use --zerotier ${directory}: no identity.secret seen, expected the identity of the machine`,
    );
  }
  tree.addAll(entries, PRIVATE_FILES.zerotierDirectory, directory);
}

function addFiles(tree: PlainTree, directory: string): void {
  const entries = readDirectory(directory);
  const reserved = entries.find(({ path }) => RESERVED.includes(path));
  if (reserved === undefined) {
    tree.addAll(entries, "", directory);
    return;
  }
  throw privateError(
    `Cannot add ${reserved.path} of ${directory}: that is made later, expected another name`,
  );
}

const RESERVED: readonly string[] = [
  PRIVATE_FILES.clientCertificate,
  PRIVATE_FILES.clientKey,
  PRIVATE_FILES.ca,
  MANIFEST_PATH,
];

function readDirectory(path: string): UstarEntry[] {
  try {
    return readTree(path);
  } catch (error) {
    throw privateError(`Cannot read ${path}: ${errorText(error)}`);
  }
}

function readGiven(option: string, path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = errorCode(error);
    const seen = code === "ENOENT" ? "no such file" : String(code);
    throw privateError(`Cannot use ${option} ${path}: ${seen}, expected a readable file`);
  }
  if (bytes.length > LIMIT_BYTES) {
    throw privateError(
      `Cannot use ${option} ${path}: ${bytes.length} bytes seen, expected at most ${LIMIT_BYTES}`,
    );
  }
  return bytes.toString("utf8");
}

const LIMIT_BYTES = 1024 * 1024;
