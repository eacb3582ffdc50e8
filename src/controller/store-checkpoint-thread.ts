/** Thread that writes the write-ahead log of a database back into it, until the first message. */
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { CheckpointWork } from "./store-checkpoint.ts";

/** Passes right after each other: what was written during one is left to the next. */
const MOST_PASSES = 5;

/** How long the forced pass waits for others to leave the log. */
const FORCE_LIMIT_MS = 1000;

const { path, everyMs, longLogPages } = workerData as CheckpointWork;
const database = new DatabaseSync(path, { timeout: FORCE_LIMIT_MS });
const passive = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
const restart = database.prepare("PRAGMA wal_checkpoint(RESTART)");

const timer = setInterval(() => {
  // A log begins anew with the first change after all of it was written back; until then it grows.
  let pages = 0;
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    const before = pages;
    pages = Number(passive.get()?.["log"]);
    if (pages <= before) return;
  }
  // Keeps writers out for the few pages that are left.
  if (pages > longLogPages) restart.get();
}, everyMs);

parentPort?.once("message", () => {
  clearInterval(timer);
  database.close();
});
