import { createServer, type Server, type Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { MessageHub } from "../job/message-hub.ts";
import type { OwnJobs } from "../job/types.ts";
import type { Logger } from "../log/logger.ts";
import { listenOnPath } from "./listen.ts";

export interface LocalSocketOptions {
  readonly path: string;
  readonly jobs: OwnJobs;
  readonly messages: MessageHub;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<LocalLimits>;
}

export interface LocalLimits {
  readonly maxConnections: number;
  readonly maxRequestBytes: number;
  /** A request that is not complete by then is refused. */
  readonly requestTimeoutMs: number;
  /** An answer that is not taken by then is dropped. */
  readonly answerTimeoutMs: number;
}

export const DEFAULT_LOCAL_LIMITS: LocalLimits = {
  maxConnections: 128,
  maxRequestBytes: 1024 * 1024,
  requestTimeoutMs: 10_000,
  answerTimeoutMs: 60_000,
};

/**
 * Opens the unix socket on which tools of the machine itself send one command as JSON and get its
 * result (wire protocol 1.5). Only root can open it. What answers is loaded with the first request.
 *
 * @returns Closes it, and the connections that are open.
 */
export async function openLocalSocket(options: LocalSocketOptions): Promise<() => void> {
  const limits = { ...DEFAULT_LOCAL_LIMITS, ...options.limits };
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    import("./local-request.ts")
      .then(({ serveLocal }) => {
        serveLocal(socket, { ...options, limits, isFull: open.size > limits.maxConnections });
      })
      .catch((error: unknown) => {
        options.log.error("local request cannot be served", { reason: errorText(error) });
        socket.destroy();
      });
  });
  server.maxConnections = limits.maxConnections + REFUSED_AT_ONCE;
  await listenOnPath(server, options.path);
  return () => close(server, open);
}

/** Connections above the limit that get an answer which says so; beyond, they are just closed. */
const REFUSED_AT_ONCE = 16;

function close(server: Server, open: ReadonlySet<Socket>): void {
  server.close();
  for (const socket of open) socket.destroy();
}
