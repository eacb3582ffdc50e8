import { afterAll, beforeAll, expect, test } from "vitest";
import description from "../../../etc/controller/openapi.json" with { type: "json" };
import type { Core } from "../../../src/controller/server-core.ts";
import type { Operator } from "../../../src/controller/server-operator.ts";
import { apiRoutes } from "../../../src/controller/server-routes.ts";
import {
  type AskOptions,
  HEARTBEAT,
  makeRequest,
  TestController,
  UNLOCK,
} from "../support/controller.ts";

interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
}

interface Operation {
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>> }>
  >;
}

const paths = description.paths as unknown as Record<string, Record<string, Operation>>;
const schemas = description.components.schemas as unknown as Record<string, JsonSchema>;
let controller: TestController;
let id: string;
let identity: { readonly cert: string; readonly key: string };

beforeAll(async () => {
  controller = await new TestController().start();
  id = await controller.addNode("52:54:00:00:00:01");
  identity = await controller.issue(id);
});

afterAll(() => controller.remove());

/** Where a value is not as described; empty when all of it is. */
function faults(value: unknown, schema: JsonSchema, path: string): readonly string[] {
  if (schema.$ref !== undefined) {
    const target = schemas[schema.$ref.split("/").at(-1) ?? ""];
    return target === undefined ? [`${path}: no ${schema.$ref}`] : faults(value, target, path);
  }
  if (schema.oneOf !== undefined) {
    const fits = schema.oneOf.filter((one) => faults(value, one, path).length === 0);
    return fits.length === 1 ? [] : [`${path}: fits ${fits.length} of ${schema.oneOf.length}`];
  }
  if (schema.allOf !== undefined) return schema.allOf.flatMap((one) => faults(value, one, path));
  const found: string[] = [];
  if (schema.const !== undefined && value !== schema.const) found.push(`${path}: ${value}`);
  if (schema.enum !== undefined && !schema.enum.includes(value)) found.push(`${path}: ${value}`);
  if (schema.type !== undefined && ![schema.type].flat().includes(typeName(value))) {
    found.push(`${path}: ${typeName(value)}, expected ${schema.type}`);
  }
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(String(value))) {
    found.push(`${path}: ${value} is not ${schema.pattern}`);
  }
  if (Array.isArray(value)) {
    const { items } = schema;
    const inside = items && value.flatMap((one, i) => faults(one, items, `${path}[${i}]`));
    found.push(...(inside ?? []));
  } else if (typeof value === "object" && value !== null) {
    const members = value as Record<string, unknown>;
    const missing = (schema.required ?? []).filter((name) => !(name in members));
    found.push(...missing.map((name) => `${path}.${name} is missing`));
    for (const [name, member] of Object.entries(schema.properties ?? {})) {
      if (name in members) found.push(...faults(members[name], member, `${path}.${name}`));
    }
  }
  return found;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

test("the description names exactly the routes of the server, and who may call them", () => {
  const caller = { clientCertificate: "node", operatorToken: "operator" } as const;
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { security }]) => {
      const [scheme] = security.flatMap((one) => Object.keys(one));
      return `${method.toUpperCase()} ${path} ${caller[scheme as keyof typeof caller] ?? "anybody"}`;
    }),
  );
  const routes = apiRoutes({} as Core, {} as Operator, () => []);
  const served = routes.map((route) => `${route.method} ${route.path} ${route.caller}`);
  expect(described.toSorted()).toStrictEqual(served.toSorted());
});

test("every reference of the description leads somewhere", () => {
  const references = JSON.stringify(description).matchAll(/"#\/components\/schemas\/(\w+)"/g);
  const names = [...references].map(([, name = ""]) => name);
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => schemas[name] === undefined)).toStrictEqual([]);
});

test("a value that is not as described would be found", () => {
  const error = { $ref: "#/components/schemas/ApiError" };
  expect(faults({ code: "E_X", message: "m" }, error, "a")).toStrictEqual([]);
  expect(faults({ code: "x" }, error, "a")).toHaveLength(2);
  expect(faults({ code: "E_X", message: "m", retryAfterS: "1" }, error, "a")).toHaveLength(1);
});

test("answers have statuses, types and members as described", async () => {
  const mac = "52:54:00:00:00:02";
  const operator = true;
  const key = Buffer.alloc(32, 1).toString("base64");
  const unlock = (address: string) => ({ body: { ...UNLOCK, macs: [address] } });
  const calls: readonly (readonly [string, string, string, AskOptions, number])[] = [
    ["POST", "/v1/unlock", "/v1/unlock", unlock("52:54:00:00:00:01"), 200],
    ["POST", "/v1/unlock", "/v1/unlock", unlock(mac), 202],
    ["POST", "/v1/unlock", "/v1/unlock", { body: { macs: [] } }, 400],
    ["POST", "/v1/unlock", "/v1/unlock", { raw: "x".repeat(20_000) }, 413],
    ["GET", "/v1/private/52:54:00:00:00:01", "/v1/private/{mac}", {}, 200],
    ["GET", `/v1/private/${mac}`, "/v1/private/{mac}", {}, 404],
    ["GET", "/v1/session", "/v1/session", { identity }, 200],
    ["GET", "/v1/session", "/v1/session", {}, 401],
    ["POST", "/v1/heartbeat", "/v1/heartbeat", { identity, body: HEARTBEAT }, 200],
    ["POST", "/v1/heartbeat", "/v1/heartbeat", { identity, body: {} }, 400],
    ["POST", "/v1/heartbeat", "/v1/heartbeat", { body: HEARTBEAT }, 401],
    ["GET", "/v1/nodes", "/v1/nodes", { operator }, 200],
    ["GET", "/v1/nodes", "/v1/nodes", {}, 401],
    ["GET", `/v1/nodes/${id}`, "/v1/nodes/{id}", { operator }, 200],
    ["GET", "/v1/nodes/none", "/v1/nodes/{id}", { operator }, 404],
    ["POST", "/v1/nodes", "/v1/nodes", { operator, body: { macs: ["52:54:00:00:00:03"] } }, 201],
    ["POST", "/v1/nodes", "/v1/nodes", { operator, body: { macs: [mac] } }, 200],
    ["POST", "/v1/nodes", "/v1/nodes", { operator, body: {} }, 400],
    [
      ...(["POST", "/v1/nodes", "/v1/nodes"] as const),
      { operator, body: { macs: [mac, "52:54:00:00:00:03"] } },
      409,
    ],
    ["POST", `/v1/nodes/${id}/approve`, "/v1/nodes/{id}/approve", { operator, body: {} }, 200],
    ["POST", `/v1/nodes/${id}/reject`, "/v1/nodes/{id}/reject", { operator, body: {} }, 409],
    ["POST", "/v1/nodes/none/reject", "/v1/nodes/{id}/reject", { operator }, 404],
    [
      ...(["POST", `/v1/nodes/${id}/certificate`, "/v1/nodes/{id}/certificate"] as const),
      { operator, body: { csr: makeRequest().csr } },
      200,
    ],
    [
      ...(["POST", `/v1/nodes/${id}/certificate`, "/v1/nodes/{id}/certificate"] as const),
      { operator, body: { csr: "no" } },
      400,
    ],
    [
      ...(["POST", `/v1/nodes/${id}/revoke-certificate`] as const),
      "/v1/nodes/{id}/revoke-certificate",
      { operator, body: { serial: "ff" } },
      404,
    ],
    [
      ...(["POST", `/v1/nodes/${id}/private`, "/v1/nodes/{id}/private"] as const),
      { operator, raw: `${JSON.stringify({ key })}\nc` },
      200,
    ],
    ["POST", `/v1/nodes/${id}/private`, "/v1/nodes/{id}/private", { operator, raw: "c" }, 400],
    ["GET", "/v1/policy", "/v1/policy", { operator }, 200],
    ["PUT", "/v1/policy", "/v1/policy", { operator, body: { policy: "registered" } }, 200],
    ["PUT", "/v1/policy", "/v1/policy", { operator, body: { policy: "open" } }, 400],
    ["GET", "/v1/audit?after=0&limit=5", "/v1/audit", { operator }, 200],
    ["GET", "/v1/audit?after=x", "/v1/audit", { operator }, 400],
    ["GET", "/healthz", "/healthz", {}, 200],
    ["GET", "/metrics", "/metrics", { operator }, 200],
    ["GET", "/openapi.json", "/openapi.json", { operator }, 200],
    ["POST", `/v1/nodes/${id}/revoke`, "/v1/nodes/{id}/revoke", { operator, body: {} }, 200],
    ["POST", "/v1/unlock", "/v1/unlock", unlock("52:54:00:00:00:01"), 403],
    ["GET", "/v1/session", "/v1/session", { identity }, 403],
    ["DELETE", `/v1/nodes/${id}`, "/v1/nodes/{id}", { operator }, 200],
  ];
  for (const [method, path, pattern, options, status] of calls) {
    const name = `${method} ${path} ${status}`;
    const reply = await controller.ask(method, path, options);
    expect(`${method} ${path} ${reply.status}`).toBe(name);
    const content = paths[pattern]?.[method.toLowerCase()]?.responses[status]?.content;
    expect(content, name).toBeDefined();
    const type = String(reply.headers["content-type"]).split(";")[0] ?? "";
    expect(Object.keys(content ?? {}), name).toContain(type);
    const schema = content?.["application/json"]?.schema;
    if (schema !== undefined) expect(faults(reply.json, schema, name)).toStrictEqual([]);
  }
  const called = new Set(calls.map(([method, , pattern]) => `${method} ${pattern}`));
  const routes = apiRoutes({} as Core, {} as Operator, () => []);
  const left = routes
    .map(({ method, path }) => `${method} ${path}`)
    .filter((one) => !called.has(one));
  // Never ends by itself: it has a test of its own.
  expect(left).toStrictEqual(["GET /v1/events"]);
});

test("the controller serves its description", async () => {
  const { json } = await controller.ask("GET", "/openapi.json", { operator: true });
  expect(json).toStrictEqual(description);
});

test("a known path with a wrong method is 405, an unknown one 404", async () => {
  expect((await controller.ask("DELETE", "/v1/unlock")).json.code).toBe("E_METHOD");
  expect((await controller.ask("GET", "/v1/nothing")).json.code).toBe("E_NOT_FOUND");
});
