import { isIP } from "node:net";
import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { array, object, string, withDefault } from "../../base/schema.ts";
import { type ApiAnswer, type ApiRequest, type Route, withBody, withoutBody } from "../router.ts";
import type { Core } from "../server-core.ts";
import { RequestError } from "../server-errors.ts";
import type { DecisionName, Operator } from "../server-operator.ts";
import type { Store } from "../store.ts";
import type { Policy } from "../types.ts";
import { checkMacs, checkText, LIMITS } from "./schemas.ts";

/** Machines read in one turn of the event loop while a list is sent. */
const LIST_STEP = 100;
const MOST_AUDIT = 1000;
const DEFAULT_AUDIT = 100;

const POLICIES: readonly Policy[] = ["manual", "registered", "overlay"];

/** What operators call, but for the upload. */
export function operatorRoutes(core: Core, operator: Operator): readonly Route[] {
  const { store } = core;
  const decision = (name: DecisionName): Route =>
    withBody({
      ...jsonRoute("POST", `/v1/nodes/{id}/${name}`),
      body: object({ note: withDefault(string(), "") }),
      handle: async ({ parameters, body, from }) => ({
        status: 200,
        json: await operator.decide(name, idOf(parameters), { note: checkText(body.note), from }),
      }),
    });
  return [
    withoutBody("GET", "/v1/nodes", "operator", () => ({
      status: 200,
      headers: { "content-type": "application/json" },
      content: Readable.from(listNodes(store), { objectMode: false }),
    })),
    withoutBody("GET", "/v1/nodes/{id}", "operator", ({ parameters }) => ({
      status: 200,
      json: operator.get(idOf(parameters)),
    })),
    withBody({
      ...jsonRoute("POST", "/v1/nodes"),
      body: object({ macs: array(string()), overlayAddress: string() }, ["macs"]),
      handle: async ({ body, from }) => {
        const macs = checkMacs(body.macs);
        const overlayAddress = checkOverlay(body.overlayAddress);
        const { node, isNew } = await operator.register({ macs, overlayAddress, from });
        return { status: isNew ? 201 : 200, json: node };
      },
    }),
    ...(["approve", "reject", "revoke"] as const).map(decision),
    withoutBody("DELETE", "/v1/nodes/{id}", "operator", async ({ parameters, from }) => {
      const id = idOf(parameters);
      await operator.remove(id, from);
      return { status: 200, json: { id } };
    }),
    withBody({
      ...jsonRoute("POST", "/v1/nodes/{id}/certificate"),
      body: object({ csr: string() }, ["csr"]),
      handle: async ({ parameters, body, from }) => ({
        status: 200,
        json: await operator.issueCertificate(idOf(parameters), body.csr, from),
      }),
    }),
    withBody({
      ...jsonRoute("POST", "/v1/nodes/{id}/revoke-certificate"),
      body: object({ serial: string() }, ["serial"]),
      handle: async ({ parameters, body, from }) => ({
        status: 200,
        json: await operator.revokeCertificate(idOf(parameters), checkText(body.serial), from),
      }),
    }),
    withoutBody("GET", "/v1/policy", "operator", () => ({
      status: 200,
      json: { policy: store.policy },
    })),
    withBody({
      ...jsonRoute("PUT", "/v1/policy"),
      body: object({ policy: string({ enum: POLICIES }) }, ["policy"]),
      handle: async ({ body, from }) => {
        await operator.setPolicy(body.policy as Policy, from);
        return { status: 200, json: { policy: store.policy } };
      },
    }),
    withoutBody("GET", "/v1/audit", "operator", (request) => listAudit(store, request)),
  ];
}

function jsonRoute<M extends "POST" | "PUT">(method: M, path: string) {
  return { method, path, caller: "operator", bodyLimitBytes: LIMITS.operator } as const;
}

function idOf(parameters: Readonly<Record<string, string>>): string {
  return parameters["id"] ?? "";
}

function checkOverlay(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return text;
  if (isIP(text) !== 0) return text;
  throw new RequestError(
    400,
    "E_SCHEMA",
    "Cannot use overlayAddress: not an IP address, expected one without prefix length",
  );
}

/** `{"nodes":[…]}` in pieces, so that a large fleet never holds up the machines. */
async function* listNodes(store: Store): AsyncGenerator<string> {
  let separator = '{"nodes":[';
  let after = "";
  for (;;) {
    const nodes = store.nodes.page(after, LIST_STEP);
    const last = nodes.at(-1);
    if (last === undefined) break;
    yield separator + nodes.map((node) => JSON.stringify(node)).join(",");
    separator = ",";
    after = last.id;
    await nextTurn();
  }
  yield after === "" ? '{"nodes":[]}' : "]}";
}

function listAudit(store: Store, { query }: ApiRequest): ApiAnswer {
  const after = whole(query, "after", { standard: 0, most: Number.MAX_SAFE_INTEGER });
  const limit = whole(query, "limit", { standard: DEFAULT_AUDIT, most: MOST_AUDIT });
  return {
    status: 200,
    json: { entries: store.audit.list(after, limit), length: store.audit.length },
  };
}

function whole(
  query: URLSearchParams,
  name: string,
  { standard, most }: { readonly standard: number; readonly most: number },
): number {
  const text = query.get(name);
  if (text === null) return standard;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return Math.min(value, most);
  throw new RequestError(400, "E_SCHEMA", `Cannot use ${name}: expected a whole number`);
}
