import { setImmediate as nextTurn } from "node:timers/promises";
import type { Core } from "./server-core.ts";

/** Machines looked at in one turn of the event loop. */
const STEP = 100;

/**
 * Forgets machines that wait for an operator and have not asked for so long. There is room for a limited
 * number of them, and strangers must not hold it for ever.
 */
export async function forgetPending(core: Core, afterMs: number): Promise<void> {
  const { store } = core;
  for (let after = ""; ; ) {
    const page = store.nodes.undecided(after, STEP);
    const last = page.at(-1);
    if (last === undefined) return;
    const limitMs = core.nowMs() - afterMs;
    const old = page.filter(({ lastSeenMs }) => lastSeenMs < limitMs);
    if (old.length > 0) {
      store.transaction(() => {
        for (const { id, lastSeenMs } of old) {
          const macs = store.nodes.get(id)?.macs ?? [];
          store.nodes.remove(id);
          store.audit.append({
            ...{ action: "expire", subject: id, actor: "controller", outcome: "done" },
            detail: `last request ${new Date(lastSeenMs).toISOString()}, ${macs.join(" ")}`,
          });
        }
      });
      await store.durable();
      for (const { id } of old) core.changed(id);
    }
    after = last.id;
    await nextTurn();
  }
}
