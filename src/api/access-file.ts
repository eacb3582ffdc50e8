import { AgentError, errorCode } from "../base/errors.ts";
import { slowFiles } from "../sys/slow-files.ts";

/**
 * Reads a file the endpoint was told to use. It may lie below the mount of the private configuration, whose
 * process may hang: nobody waits for it longer than 5 s.
 *
 * @param limitBytes Of the content.
 * @returns Memory of its own, for the caller to wipe; undefined where there is no such file.
 * @throws AgentError `E_ACCESS_FILE` for a larger one and for what is no file; the system's error.
 */
export function readAccessFile(path: string, limitBytes: number): Promise<Buffer | undefined> {
  return slowFiles.read({
    path,
    code: "E_ACCESS_FILE",
    work: () => read(path, limitBytes),
    onLate: (content) => content?.fill(0),
  });
}

/** Loaded late: most agents have no such files. */
async function read(path: string, limitBytes: number): Promise<Buffer | undefined> {
  const { constants, open } = await import("node:fs/promises");
  try {
    // Opening a FIFO must not wait for somebody who writes.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await file.stat()).isFile()) throw wrong(path, "it is not a file", "one");
      const content = Buffer.allocUnsafeSlow(limitBytes + 1);
      let length = 0;
      while (length < content.length) {
        const { bytesRead } = await file.read(content, length, content.length - length);
        if (bytesRead === 0) return content.subarray(0, length);
        length += bytesRead;
      }
      content.fill(0);
      throw wrong(path, `more than ${limitBytes} bytes seen`, "fewer");
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function wrong(path: string, seen: string, expected: string): AgentError {
  return new AgentError("E_ACCESS_FILE", `Cannot read ${path}: ${seen}, expected ${expected}`);
}
