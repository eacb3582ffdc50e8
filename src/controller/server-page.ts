import type { IncomingMessage, ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Core } from "./server-core.ts";
import type { Operator } from "./server-operator.ts";
import type { NodeRecord } from "./types.ts";
import { createWebApp } from "./web/web-app.ts";
import type { WebController } from "./web/web-controller.ts";

/** Machines read in one turn of the event loop: a large fleet must not hold up its heartbeats. */
const LIST_STEP = 100;

export interface Page {
  /** @returns False, and has done nothing, for a request that is not for the page. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Logs everybody out. */
  endSessions(): void;
  /** Ends live connections: the server cannot stop before. */
  close(): void;
}

/** The operators' page of the controller in this process. */
export function openPage(core: Core, operator: Operator): Page {
  const { clock, log } = core;
  return createWebApp({ controller: pageController(core, operator), clock, log });
}

/** The controller as the page sees it. */
export function pageController(core: Core, operator: Operator): WebController {
  const { store } = core;
  return {
    listNodes: () => listNodes(core),
    getNode: (id) => store.nodes.get(id),
    certificates: (id) =>
      store.certificates.list(id).map(({ serial, issuedMs, expiresMs, revokedMs }) => ({
        ...{ serial, issuedMs, expiresMs },
        isRevoked: revokedMs !== null,
      })),
    approve: (id, decision) => operator.decide("approve", id, decision),
    reject: (id, decision) => operator.decide("reject", id, decision),
    revoke: (id, decision) => operator.decide("revoke", id, decision),
    audit: (after, limit) => store.audit.list(after, limit),
    auditEnd: () => store.audit.length,
    policy: () => store.policy,
    setPolicy: (policy, from) => operator.setPolicy(policy, from),
    checkToken: (text) => operator.checkToken(text),
    recordLogin: async (outcome, from) => {
      operator.recordLogin(outcome, from);
      await store.durable();
    },
    onChange: (listener) => core.onChange(listener),
  };
}

/** One after the other: nobody has to hold all of them. */
async function* listNodes({ store }: Core): AsyncGenerator<NodeRecord> {
  for (let after = ""; ; ) {
    const page = store.nodes.page(after, LIST_STEP);
    const last = page.at(-1);
    if (last === undefined) return;
    yield* page;
    after = last.id;
    await nextTurn();
  }
}
