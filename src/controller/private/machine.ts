import type { NodeRecord } from "../types.ts";
import { privateError } from "./errors.ts";

/** What this part asks of a controller; `OperatorClient` is one. */
export interface PrivateController extends PrivateAuthority {
  listNodes(): Promise<readonly NodeRecord[]>;
  registerNode(node: { readonly macs: readonly string[] }): Promise<NodeRecord>;
  approve(id: string, note?: string): Promise<unknown>;
  revokeCertificate(id: string, serial: string): Promise<void>;
  uploadPrivate(
    id: string,
    key: string,
    tar: Uint8Array,
  ): Promise<{ readonly revision: number; readonly sha256: string }>;
}

/** Whoever signs client certificates. */
export interface PrivateAuthority {
  /** @returns PEM, both. */
  issueCertificate(
    id: string,
    csrPem: string,
  ): Promise<{ readonly certificate: string; readonly ca: string }>;
}

/**
 * Finds the machine these MAC addresses belong to, or registers it.
 *
 * @throws AgentError `E_PRIVATE` where they belong to several machines, or the machine has others only.
 */
export async function findMachine(
  controller: Pick<PrivateController, "listNodes" | "registerNode">,
  macs: readonly string[],
): Promise<NodeRecord> {
  const nodes = await controller.listNodes();
  const found = nodes.filter((node) => node.macs.some((mac) => macs.includes(mac)));
  const [node] = found;
  if (node === undefined) return await controller.registerNode({ macs });
  if (found.length > 1) {
    const seen = found.map(({ id }) => id).join(" and ");
    throw privateError(
      `Cannot use --mac: addresses of ${seen} seen, expected those of one machine`,
    );
  }
  const strange = macs.find((mac) => !node.macs.includes(mac));
  if (strange === undefined) return node;
  throw privateError(
    `Cannot use --mac ${strange}: ${node.id} is known without it, expected only ${node.macs.join(", ")}`,
  );
}
