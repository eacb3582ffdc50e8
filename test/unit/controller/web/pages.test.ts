import { expect, test } from "vitest";
import type { NodeRecord } from "../../../../src/controller/types.ts";
import { readAuditLast, renderAudit } from "../../../../src/controller/web/audit-page.ts";
import { renderNode } from "../../../../src/controller/web/node-page.ts";
import { pickNodes, readView, renderNodes } from "../../../../src/controller/web/nodes-page.ts";
import { Sessions } from "../../../../src/controller/web/sessions.ts";
import { summarizeBoot } from "../../../../src/controller/web/timeline.ts";
import { FakeClock } from "../../../fakes/clock.ts";
import { MemoryController, makeHeartbeat, makeNode } from "../../../fakes/memory-controller.ts";

const EVIL = `"><img src=x onerror=alert(1)>'`;
const NOW_MS = 1_795_168_462_881;

const list = async (
  nodes: readonly NodeRecord[],
  query = "",
  shownTo = context(),
): Promise<string> => {
  const controller = new MemoryController();
  for (const node of nodes) controller.put(node);
  const view = readView(new URLSearchParams(query));
  return String(renderNodes(await pickNodes(controller, view), view, shownTo));
};

test("nothing a machine or an operator wrote becomes markup", async () => {
  const heartbeat = makeHeartbeat(NOW_MS, {
    ...{ hostname: EVIL, version: EVIL, addresses: [EVIL], from: EVIL },
    phases: [{ phase: EVIL, state: EVIL, startMs: 0, endMs: 1, attempts: 1, reason: EVIL }],
  });
  const reported = {
    ...{ macs: [EVIL], serial: EVIL, vendor: EVIL, product: EVIL, overlayId: EVIL, version: EVIL },
  };
  const texts = { note: EVIL, macs: [EVIL], address: EVIL, overlayAddress: EVIL };
  const node = makeNode({ id: "evilmachine0", ...texts, reported, heartbeat });
  const controller = new MemoryController();
  controller.record({ action: EVIL, subject: EVIL, actor: EVIL, outcome: EVIL, detail: EVIL });
  const { entries } = controller;
  const pages = [
    await list([node], `search=${encodeURIComponent(EVIL)}`),
    String(renderNode(node, [], context())),
    String(renderAudit({ entries, last: 1, end: 1 }, context())),
  ];
  for (const page of pages) {
    expect(page).toContain("&lt;img src=x");
    expect(page).not.toContain("<img");
  }
});

test("pages hold no inline script, style or handler", async () => {
  const node = makeNode({ id: "k3w9x0aab12c", heartbeat: makeHeartbeat(NOW_MS) });
  for (const page of [await list([node]), String(renderNode(node, [], context()))]) {
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?! src="\/assets\/page\.js")/);
  }
});

test("every form that changes something carries the token of the session", async () => {
  const session = context();
  const nodes = [makeNode({ id: "a" }), makeNode({ id: "b", state: "approved" })];
  const page = await list(nodes, "", session);
  const forms = page.match(/<form method="post".*?<\/form>/gs) ?? [];
  expect(forms).toHaveLength(3);
  for (const form of forms) expect(form).toContain(`value="${session.session.csrf}"`);
});

test("machines that wait for a decision come first", async () => {
  const page = await list([
    makeNode({ id: "revoked", state: "revoked" }),
    makeNode({ id: "approved", state: "approved" }),
    makeNode({ id: "pending" }),
  ]);
  const order = [...page.matchAll(/<tr id="node-(\w+)"/g)].map(([, id]) => id);
  expect(order).toStrictEqual(["pending", "approved", "revoked"]);
});

test("only the decisions a state allows are offered", () => {
  const actionsOf = (state: NodeRecord["state"]): (string | undefined)[] => {
    const page = String(renderNode(makeNode({ id: "m", state }), [], context()));
    return [...page.matchAll(/action="\/machines\/m\/(\w+)"/g)].map(([, action]) => action);
  };
  expect(actionsOf("pending")).toStrictEqual(["approve", "reject"]);
  expect(actionsOf("approved")).toStrictEqual(["revoke"]);
  expect(actionsOf("rejected")).toStrictEqual(["approve"]);
  expect(actionsOf("revoked")).toStrictEqual(["approve"]);
});

test("a search finds machines by every text, in any case", async () => {
  const node = makeNode({ id: "found", macs: ["52:54:00:aa:bb:cc"] });
  const other = makeNode({ id: "other", reported: null, address: "" });
  for (const word of ["AA:BB", "sn-47", "10.20.0.17", "supermicro", "89e92"]) {
    const page = await list([node, other], `search=${word}`);
    expect(page).toContain('id="node-found"');
    expect(page).not.toContain('id="node-other"');
  }
});

test("a hundred machines are on a page, and the next page holds the rest", async () => {
  const nodes = Array.from({ length: 101 }, (_, index) => makeNode({ id: `m${index}` }));
  const rows = async (query: string): Promise<number | undefined> =>
    (await list(nodes, query)).match(/<tr id="node-/g)?.length;
  expect(await rows("")).toBe(100);
  expect(await rows("page=1")).toBe(1);
  expect(await rows("page=99")).toBe(1);
});

test("a machine without a heartbeat for three intervals is shown as silent", async () => {
  const heard = (agoMs: number): Promise<string> =>
    list([makeNode({ id: "m", state: "approved", heartbeat: makeHeartbeat(NOW_MS - agoMs) })]);
  expect(await heard(90_000)).toContain('class="pulse alive"');
  expect(await heard(96_000)).toContain('class="pulse silent"');
});

test("the boot is summed up by what is not done", () => {
  const { phases } = makeHeartbeat(NOW_MS);
  const last = (state: string, attempts = 1) => [
    ...phases.slice(0, -1),
    { phase: "ssh", state, startMs: 3830, endMs: null, attempts, reason: "" },
  ];
  expect(summarizeBoot(phases)).toBe("booted in 4.12 s");
  expect(summarizeBoot(last("retrying", 4))).toBe("ssh retrying, try 4");
  expect(summarizeBoot(last("failed"))).toBe("ssh failed");
  expect(summarizeBoot([])).toBe("");
});

test("a page of the audit log stays where it is while the log grows", () => {
  const query = new URLSearchParams("until=120");
  expect(readAuditLast(query, 500)).toBe(120);
  expect(readAuditLast(query, 700)).toBe(120);
  expect(readAuditLast(new URLSearchParams(), 700)).toBe(700);
  expect(readAuditLast(new URLSearchParams("until=9999"), 700)).toBe(700);
  expect(readAuditLast(new URLSearchParams("until=-5"), 700)).toBe(0);
  expect(readAuditLast(new URLSearchParams("until=x"), 700)).toBe(700);
});

function context() {
  return { session: new Sessions(new FakeClock()).start().session, nowMs: NOW_MS };
}
