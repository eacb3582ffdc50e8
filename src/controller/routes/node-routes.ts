import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { finished } from "node:stream";
import type { UnlockAnswer } from "../../vault/controller-api.ts";
import { type ApiAnswer, type Route, withBody, withoutBody } from "../router.ts";
import type { Core } from "../server-core.ts";
import { RequestError } from "../server-errors.ts";
import {
  checkHeartbeat,
  checkUnlock,
  HEARTBEAT_BODY,
  isMac,
  LIMITS,
  UNLOCK_BODY,
} from "./schemas.ts";

const UNLOCK_STATUS: Readonly<Record<UnlockAnswer["state"], number>> = {
  approved: 200,
  pending: 202,
  rejected: 403,
  revoked: 403,
  withheld: 409,
};

const HEARTBEAT_MS = 30_000;

/** Downloads under way at a time: each holds a file and its buffers. */
const MOST_DOWNLOADS = 64;

/** What machines call. */
export function nodeRoutes(core: Core): readonly Route[] {
  let downloads = 0;
  const download = async (mac: string): Promise<ApiAnswer> => {
    const found = isMac(mac) ? core.store.privates.find(mac) : undefined;
    if (found === undefined) {
      throw new RequestError(
        404,
        "E_PRIVATE_UNKNOWN",
        "Cannot send the private configuration: none for this address",
      );
    }
    if (downloads >= MOST_DOWNLOADS) {
      throw new RequestError(503, "E_BUSY", "Cannot send now: too many downloads", 5);
    }
    downloads += 1;
    const content = createReadStream(found.path);
    finished(content, () => {
      downloads -= 1;
    });
    const { size } = await stat(found.path);
    return {
      status: 200,
      headers: {
        "content-type": "application/x-tar",
        "content-length": size,
        "x-node0-revision": found.revision,
      },
      content,
    };
  };
  return [
    withBody({
      ...{ method: "POST", path: "/v1/unlock", caller: "anybody" },
      bodyLimitBytes: LIMITS.unlock,
      body: UNLOCK_BODY,
      handle: async ({ body, from }) => {
        const answer = await core.unlock(checkUnlock(body), from);
        return { status: UNLOCK_STATUS[answer.state], json: answer };
      },
    }),
    withoutBody("GET", "/v1/private/{mac}", "anybody", ({ parameters }) =>
      download(parameters["mac"] ?? ""),
    ),
    withoutBody("GET", "/v1/session", "node", ({ node }) => ({
      status: 200,
      json: { node, nowMs: core.nowMs() },
    })),
    withBody({
      ...{ method: "POST", path: "/v1/heartbeat", caller: "node" },
      bodyLimitBytes: LIMITS.heartbeat,
      body: HEARTBEAT_BODY,
      handle: ({ body, from, node }) => {
        core.heartbeat(node, checkHeartbeat(body), from);
        return { status: 200, json: { nextMs: HEARTBEAT_MS, nowMs: core.nowMs() } };
      },
    }),
  ];
}
