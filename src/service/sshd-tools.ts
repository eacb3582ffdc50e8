import { slowFiles } from "../sys/slow-files.ts";
import type { SshdAddress } from "./sshd-config.ts";

/** What sshd's service asks of the machine; everything may take long, because the keys lie on FUSE. */
export interface SshdTools {
  /** Names in a directory; none where it is absent. */
  list(directory: string): Promise<string[]>;
  /** The beginning of a file, for the caller to wipe. */
  readStart(path: string, bytes: number): Promise<Buffer>;
  /** `sshd -T` with a configuration: what it said, and whether it takes it. */
  check(configFile: string): Promise<{ isGood: boolean; text: string }>;
  /** The first line a server sends. Rejects where nobody answers. */
  readBanner(address: SshdAddress): Promise<string>;
}

export const SSHD_PROGRAM = "/usr/sbin/sshd";
const CHECK_LIMIT_MS = 20_000;
const BANNER_LIMIT_MS = 10_000;

/** The real machine. What is heavy is loaded with the first use. */
export const linuxSshdTools: SshdTools = {
  list: (directory) =>
    slowFiles.read({
      path: directory,
      code: "E_SSH_FILES",
      work: async () => {
        const { readdir } = await import("node:fs/promises");
        return readdir(directory).catch((error: NodeJS.ErrnoException) => {
          if (error.code === "ENOENT") return [];
          throw error;
        });
      },
    }),

  readStart: (path, bytes) =>
    slowFiles.read({
      path,
      code: "E_SSH_FILES",
      work: () => readStart(path, bytes),
      onLate: (content) => content.fill(0),
    }),

  async check(configFile) {
    const { runTool } = await import("../sys/proc/run-tool.ts");
    const args = ["-T", "-f", configFile];
    const outcome = await runTool(SSHD_PROGRAM, args, { timeoutMs: CHECK_LIMIT_MS });
    const isGood = outcome.status === 0;
    return { isGood, text: isGood ? outcome.stdout : outcome.stderr };
  },

  async readBanner({ host, port }) {
    const { connect } = await import("node:net");
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const socket = connect({ host: reachable(host), port, timeout: BANNER_LIMIT_MS });
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (part: string) => {
      text += part;
      if (text.includes("\n") || text.length > 255) socket.destroy();
    });
    socket.on("timeout", () => socket.destroy(new Error("no answer in time")));
    socket.on("error", reject);
    socket.on("close", () => resolve(text.split(/\r?\n/)[0] ?? ""));
    return promise;
  },
};

const reachable = (host: string): string => ({ "0.0.0.0": "127.0.0.1", "::": "::1" })[host] ?? host;

async function readStart(path: string, bytes: number): Promise<Buffer> {
  const { open } = await import("node:fs/promises");
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
