import { randomBytes } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface BootFiles {
  readonly kernel: string;
  /** Initial RAM file systems, in the order the kernel unpacks them. */
  readonly initrds: readonly string[];
  readonly commandLine: string;
}

export interface BootServer {
  /** Address of the script as the machine sees it: 10.0.2.2 is this host in QEMU's user network. */
  readonly bootUrl: string;
  close(): Promise<void>;
}

/**
 * Serves a kernel and its initial RAM file systems to iPXE over HTTP, on the loopback interface only
 * and below an unguessable path, because one of the files holds the password.
 */
export async function openBootServer(files: BootFiles): Promise<BootServer> {
  const word = randomBytes(16).toString("hex");
  const server = createServer((request, response) => answer(files, word, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    bootUrl: `http://10.0.2.2:${port}/${word}/boot.ipxe`,
    close: () => close(server),
  };
}

/** Builds the iPXE script; file names are relative to the script's own address. */
export function buildBootScript(initrds: number, commandLine: string): string {
  return [
    "#!ipxe",
    `kernel vmlinuz ${commandLine}`,
    ...Array.from({ length: initrds }, (_, index) => `initrd initrd-${index}`),
    "boot",
    "",
  ].join("\n");
}

function answer(
  files: BootFiles,
  word: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const [, given, name] = (request.url ?? "").split("/");
  const path = given === word ? pathOf(files, name ?? "") : undefined;
  if (given === word && name === "boot.ipxe") {
    response.end(buildBootScript(files.initrds.length, files.commandLine));
  } else if (path === undefined) {
    response.writeHead(404).end();
  } else {
    response.writeHead(200, { "content-length": statSync(path).size });
    createReadStream(path).pipe(response);
  }
}

function pathOf(files: BootFiles, name: string): string | undefined {
  if (name === "vmlinuz") return files.kernel;
  return name.startsWith("initrd-") ? files.initrds[Number(name.slice(7))] : undefined;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
