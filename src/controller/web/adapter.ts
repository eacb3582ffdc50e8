import { setImmediate as nextTurn } from "node:timers/promises";
import type { PageHandler } from "../server.ts";
import type { Core } from "../server-core.ts";
import type { Operator } from "../server-operator.ts";
import type { NodeRecord } from "../types.ts";
import { createWebApp } from "./web-app.ts";
import type { CertificateView, WebController } from "./web-controller.ts";

/** Machines read in one turn of the event loop: a large fleet must not hold up its heartbeats. */
const LIST_STEP = 100;

export interface Page {
  /** For the server: takes what no route of the API is for. */
  readonly handle: PageHandler;
  /** Ends live connections; the server cannot stop before. */
  close(): void;
}

/** The page of a controller that runs in this process. */
export function openPage(core: Core, operator: Operator): Page {
  const { clock, log } = core;
  const app = createWebApp({ controller: adaptController(core, operator), clock, log });
  return {
    handle: (request, response) => app.handle(request, response),
    close: () => app.close(),
  };
}

/** What the page asks for, answered by the parts that also serve the API. */
export function adaptController(core: Core, operator: Operator): WebController {
  const { store } = core;
  return {
    listNodes: () => listNodes(core),
    getNode: (id) => store.nodes.get(id),
    certificates: (id) => listCertificates(core, id),
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

async function listNodes({ store }: Core): Promise<readonly NodeRecord[]> {
  const nodes: NodeRecord[] = [];
  for (let after = ""; ; ) {
    const page = store.nodes.page(after, LIST_STEP);
    const last = page.at(-1);
    if (last === undefined) return nodes;
    nodes.push(...page);
    after = last.id;
    await nextTurn();
  }
}

function listCertificates({ store }: Core, id: string): readonly CertificateView[] {
  return store.certificates.list(id).map(({ serial, issuedMs, expiresMs, revokedMs }) => ({
    ...{ serial, issuedMs, expiresMs },
    isRevoked: revokedMs !== null,
  }));
}
