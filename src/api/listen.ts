import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import type { ListenOptions, Server } from "node:net";
import { AgentError, errorCode, errorText } from "../base/errors.ts";

/** Opens a unix socket with mode 0600 in place of whatever socket is left at its path. */
export async function listenOnPath(server: Server, path: string): Promise<void> {
  removeSocket(path);
  // The file must never be open to others, not even until its mode is changed.
  const umask = process.umask(0o177);
  const listening = listen(server, { path, backlog: BACKLOG }, path);
  process.umask(umask);
  await listening;
  chmodSync(path, 0o600);
}

/** @returns The port that was opened. */
export async function listenOnPort(server: Server, host: string, port: number): Promise<number> {
  await listen(server, { host, port, backlog: BACKLOG }, `${host}:${port}`);
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

/** Settles when the listener and all of its connections are closed. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // The only error there is says that it is closed already.
    server.close(() => resolve());
  });
}

/** A thousand clients may connect at once; the kernel cuts this to its own limit, `net.core.somaxconn`. */
const BACKLOG = 4096;

function listen(server: Server, options: ListenOptions, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      const message = `Cannot listen on ${name}: ${errorText(error)}`;
      reject(new AgentError("E_LISTEN", message, { cause: error }));
    };
    server.once("error", onError);
    server.listen(options, () => {
      server.off("error", onError);
      // Later errors concern single connections (too many open files): the listener goes on.
      server.on("error", () => {});
      resolve();
    });
  });
}

function removeSocket(path: string): void {
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch (error) {
    // Nothing there is what we want; everything else shows when the path is bound.
    if (errorCode(error) !== "ENOENT") return;
  }
}
