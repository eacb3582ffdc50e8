import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PrivateController } from "../../../src/controller/private/machine.ts";
import type { NodeRecord } from "../../../src/controller/types.ts";
import { makeCa } from "./throwaway-ca.ts";

/** What was asked of the controller, in order; secrets are not in it. */
export interface RecordingController extends PrivateController {
  readonly asked: string[];
  /** The last upload. */
  readonly uploaded: { key: string; archive: Buffer } | undefined;
  /** Uploads fail with it until it is undefined again. */
  failure: Error | undefined;
  /** Days client certificates are good for; negative: expired. */
  days: number;
}

/** A controller in memory with a real certificate authority. @param directory Exists; empty. */
export function openController(directory: string): RecordingController {
  const home = join(directory, "authority");
  mkdirSync(home);
  const ca = makeCa(home);
  const nodes: NodeRecord[] = [];
  const asked: string[] = [];
  let revision = 0;
  const controller: RecordingController = {
    asked,
    uploaded: undefined,
    failure: undefined,
    days: 30,
    listNodes: async () => nodes,
    registerNode: async ({ macs }) => {
      const node = newNode(`node${nodes.length + 1}`, macs);
      nodes.push(node);
      asked.push(`register ${macs.join(",")}`);
      return node;
    },
    approve: async (id) => void asked.push(`approve ${id}`),
    revokeCertificate: async (id, serial) => void asked.push(`revoke ${id} ${serial}`),
    issueCertificate: async (id, csr) => {
      asked.push(`issue ${id}`);
      const paths = { csr: join(home, "client.csr"), certificate: join(home, "client.crt") };
      writeFileSync(paths.csr, csr);
      execFileSync(
        "openssl",
        [
          ...["x509", "-req", "-in", paths.csr, "-out", paths.certificate],
          ...["-CA", ca.certificate, "-CAkey", join(home, "ca.key"), "-CAcreateserial"],
          ...["-days", String(controller.days)],
        ],
        { stdio: ["ignore", "ignore", "pipe"] },
      );
      return {
        certificate: readFileSync(paths.certificate, "utf8"),
        ca: readFileSync(ca.certificate, "utf8"),
      };
    },
    uploadPrivate: async (id, key, tar) => {
      if (controller.failure !== undefined) throw controller.failure;
      asked.push(`upload ${id}`);
      const archive = Buffer.from(tar);
      Object.assign(controller, { uploaded: { key, archive } });
      const sha256 = createHash("sha256").update(archive).digest("hex");
      return { revision: ++revision, sha256 };
    },
  };
  return controller;
}

function newNode(id: string, macs: readonly string[]): NodeRecord {
  return {
    id,
    state: "pending",
    note: "",
    macs,
    reported: null,
    address: "",
    firstSeenMs: 0,
    lastSeenMs: 0,
    overlayAddress: "",
    revision: 0,
    revokedSerials: [],
    heartbeat: null,
  };
}
