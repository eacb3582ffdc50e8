import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorText } from "../../src/base/errors.ts";
import { OperatorClient } from "../../src/controller/operator-client.ts";
import { createPrivate } from "../../src/controller/private/create.ts";
import { changedCiphertext, readStore, STORE } from "../../src/controller/private/store.ts";
import { uploadPrivate } from "../../src/controller/private/upload.ts";
import { openWorkDirectory } from "../../src/controller/private/work-directory.ts";
import type { NodeRecord } from "../../src/controller/types.ts";
import type { ControllerProcess } from "./controller-process.ts";

export interface PrivateWish {
  /** Where the configuration lies; kept between runs. */
  readonly directory: string;
  readonly controller: Pick<ControllerProcess, "directory" | "caFile">;
  readonly macs: readonly string[];
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What reaching the machine takes. Paths are absolute. */
export interface PrivateAccess {
  /** Id of the machine at its controller. */
  readonly node: string;
  readonly passwordFile: string;
  readonly identityFile: string;
  readonly knownHostsFile: string;
}

/**
 * The private configuration of the machine, at its controller and approved: the one at hand where that
 * is good, else a new one.
 */
export async function ensurePrivate(wish: PrivateWish): Promise<PrivateAccess> {
  const { directory, controller, macs, say, signal } = wish;
  const client = new OperatorClient({ dir: controller.directory });
  const context = { controller: client, say, signal };
  const nodes = existsSync(directory) ? await client.listNodes() : [];
  const problem = whyUnusable(wish, nodes);
  if (problem !== null) {
    if (existsSync(directory)) putAside(directory, problem, say);
    mkdirSync(dirname(directory), { recursive: true, mode: 0o700 });
    const made = { macs, directory, given: { authorizedKeys: [] } };
    await createPrivate({ ...made, mustUpload: true, mustApprove: true }, context);
    return accessOf(directory, readStore(directory).record.node);
  }
  const { node: id, revision } = readStore(directory).record;
  const node = nodes.find((one) => one.id === id);
  if (node?.revision !== revision || revision === 0) await uploadPrivate(directory, context);
  if (node?.state !== "approved") {
    await client.approve(id, "started by scripts/up");
    say(`${id} was ${node?.state}: approved again`);
  }
  return accessOf(directory, id);
}

/** Removes the plain files, in memory, of somebody who was killed while making a configuration. */
export async function clearPrivateWork(): Promise<void> {
  await using _ = await openWorkDirectory();
}

/**
 * Why the configuration at hand cannot be used; null when it can. What only its content could tell, a
 * client certificate that has expired, is left to the machine: opening it takes as long as a new one.
 */
function whyUnusable(
  { directory, controller, macs }: PrivateWish,
  nodes: readonly NodeRecord[],
): string | null {
  if (!existsSync(directory)) return "there is none";
  try {
    const { record, ciphertext } = readStore(directory);
    const changed = changedCiphertext(directory, ciphertext);
    if (changed.length > 0) return changed.join(", ");
    const ca = readFileSync(join(directory, STORE.access, "ca.crt"), "utf8");
    if (ca !== readFileSync(controller.caFile, "utf8")) return "it is for another controller";
    const node = nodes.find(({ id }) => id === record.node);
    if (node === undefined) return `the controller does not know ${record.node}`;
    const strange = macs.find((mac) => !node.macs.includes(mac));
    if (strange !== undefined) return `${record.node} is known without ${strange}`;
    const { node: _, ...files } = accessOf(directory, record.node);
    const missing = Object.values(files).find((path) => !existsSync(path));
    return missing === undefined ? null : `there is no ${missing}`;
  } catch (error) {
    return errorText(error);
  }
}

/** Somebody may have put work into it. */
function putAside(directory: string, problem: string, say: (line: string) => void): void {
  const aside = `${directory}.replaced`;
  rmSync(aside, { recursive: true, force: true });
  renameSync(directory, aside);
  say(`${directory} is made anew, the former one is ${aside}: ${problem}`);
}

function accessOf(directory: string, node: string): PrivateAccess {
  const path = (name: string): string => join(directory, STORE.access, name);
  return {
    node,
    passwordFile: path("redis-password"),
    identityFile: path("id_ed25519"),
    knownHostsFile: path("known_hosts"),
  };
}
