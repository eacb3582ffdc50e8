import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PASSWORD } from "../support.ts";
import type { ServerFiles } from "./network-image.ts";
import { NODE0 } from "./node0.ts";
import type { TestNetwork } from "./test-network.ts";

export interface NetworkControllerOptions extends ServerFiles {
  /** Address it listens on, at the port of HTTPS; its certificate is good for it. */
  readonly host: string;
  /** Cards of the machine it knows. */
  readonly macs: readonly string[];
}

/**
 * Starts a controller in a test network. It has approved one machine, whose private configuration opens
 * the endpoint with the password of this run.
 *
 * @returns Ends it.
 */
export async function startNetworkController(
  network: TestNetwork,
  { host, macs, certificate, key, ca }: NetworkControllerOptions,
): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), "node0-controller-"));
  const serve = ["controller", "serve", "--dir", directory, "--listen", `${host}:443`];
  const end = await network.start(NODE0, ...serve, "--certificate", certificate, "--key", key);
  const close = async (): Promise<void> => {
    await end();
    rmSync(directory, { recursive: true });
  };
  try {
    const passwordFile = join(directory, "endpoint-password");
    writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
    const target = ["--url", `https://${host}`, "--ca", ca];
    const token = ["--token-file", join(directory, "operator-token")];
    const contents = ["--redis-password-file", passwordFile, "--out", join(directory, "machine")];
    const cards = macs.flatMap((mac) => ["--mac", mac]);
    const words = ["private", "create", ...cards, ...contents, ...target, ...token, "--approve"];
    network.run(process.execPath, NODE0, ...words);
  } catch (error) {
    await close();
    throw error;
  }
  return close;
}
