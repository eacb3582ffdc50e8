import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

/**
 * Thread that writes the write-ahead log of a database back into it. `workerData` is the path of the
 * database; it ends with the first message, and throws what goes wrong.
 */
const EVERY_MS = 2000;

/** Passes right after each other: what was written during a pass is left to the next one. */
const MOST_PASSES = 5;

const database = new DatabaseSync(String(workerData), { timeout: 0 });
const checkpoint = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");

const timer = setInterval(() => {
  // Only a log that was written back to its end begins anew; otherwise it grows.
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    const row = checkpoint.get();
    if (row?.["log"] === row?.["checkpointed"]) return;
  }
}, EVERY_MS);

parentPort?.once("message", () => {
  clearInterval(timer);
  database.close();
});
