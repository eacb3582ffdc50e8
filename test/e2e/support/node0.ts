import { execFile } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../support.ts";

/** The program of this checkout, for the Node.js that runs the tests. */
export const NODE0 = join(ROOT, "src/main.ts");

const LIMIT_MS = 60_000;

/** Runs `node0 …` to its end. @returns What it printed. @throws Error with what it said when it fails. */
export function runNode0(...words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: LIMIT_MS };
    execFile(process.execPath, [NODE0, ...words], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`node0 ${words.slice(0, 2).join(" ")}: ${stderr || error.message}`));
    });
  });
}
