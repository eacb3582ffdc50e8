import { request } from "node:https";
import { plainTlsReason } from "../../network/tls-reasons.ts";
import { PRIVATE_PATH } from "../../vault/controller-api.ts";
import { USTAR_LIMITS } from "../../vault/ustar.ts";
import { type OperatorTarget, readTarget } from "../operator-target.ts";
import { privateError } from "./errors.ts";

export interface FetchedPrivate {
  readonly archive: Buffer;
  readonly revision: number;
}

const LIMIT_MS = 30_000;

/**
 * Fetches the ciphertext of a machine the way the machine does: by MAC, without a token.
 *
 * @returns Undefined where the controller has none.
 * @throws AgentError `E_PRIVATE`
 */
export async function fetchPrivate(
  from: OperatorTarget,
  mac: string,
): Promise<FetchedPrivate | undefined> {
  const { url, ca, caName } = await readTarget(from);
  const { promise, resolve, reject } = Promise.withResolvers<FetchedPrivate | undefined>();
  const fail = (seen: string): void =>
    reject(privateError(`Cannot fetch the ciphertext of ${mac} from ${url}: ${seen}`));
  const asked = request(new URL(PRIVATE_PATH + mac, url), {
    ca,
    minVersion: "TLSv1.3",
    agent: false,
  });
  asked.setTimeout(LIMIT_MS, () => asked.destroy(new Error(`no answer within ${LIMIT_MS} ms`)));
  asked.on("error", (error) => fail(plainTlsReason(error, caName)));
  asked.on("response", (response) => {
    if (response.statusCode === 404) {
      response.resume();
      response.on("end", () => resolve(undefined));
      return;
    }
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    response.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes > USTAR_LIMITS.sizeBytes) asked.destroy(new Error("more than 64 MiB"));
    });
    response.on("error", (error) => fail(error.message));
    response.on("end", () => {
      const revision = Number(response.headers["x-node0-revision"]);
      if (response.statusCode !== 200) fail(`status ${response.statusCode} seen, expected 200`);
      else if (!Number.isSafeInteger(revision)) fail("no x-node0-revision seen, expected one");
      else resolve({ archive: Buffer.concat(chunks), revision });
    });
  });
  asked.end();
  return await promise;
}
