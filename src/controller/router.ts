import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { type Infer, parseWith, type Schema } from "../base/schema.ts";
import { RequestError } from "./server-errors.ts";

/** Who may ask: anybody, a machine with its client certificate, an operator with the token. */
export type Caller = "anybody" | "node" | "operator";

export interface ApiRequest<B = unknown> {
  readonly raw: IncomingMessage;
  /** Members of the path: `{id}` of `/v1/nodes/{id}`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Address of the caller. */
  readonly from: string;
  /** Machine of the client certificate; empty for other callers. */
  readonly node: string;
  readonly body: B;
}

export type ApiAnswer =
  | { readonly status: number; readonly json: unknown }
  | {
      readonly status: number;
      readonly headers: Readonly<Record<string, string | number>>;
      readonly content: string | Buffer | Readable;
    }
  /** The handler writes the response itself. */
  | { readonly take: (response: ServerResponse) => void };

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With `{name}` for members. */
  readonly path: string;
  readonly caller: Caller;
  /** 0: no body is read by the server; `handle` may read the raw request. */
  readonly bodyLimitBytes: number;
  readonly handle: (request: ApiRequest, json: unknown) => ApiAnswer | Promise<ApiAnswer>;
}

/** A route whose JSON body is checked against a schema before its handler sees it. */
export function withBody<S extends Schema<unknown>>(route: {
  readonly method: Route["method"];
  readonly path: string;
  readonly caller: Caller;
  readonly bodyLimitBytes: number;
  readonly body: S;
  readonly handle: (request: ApiRequest<Infer<S>>) => ApiAnswer | Promise<ApiAnswer>;
}): Route {
  const { body: schema, handle, ...rest } = route;
  return {
    ...rest,
    handle: (request, json) => {
      const body = parseWith(schema, json, "body") as Infer<S>;
      return handle({ ...request, body });
    },
  };
}

export function withoutBody(
  method: Route["method"],
  path: string,
  caller: Caller,
  handle: (request: ApiRequest) => ApiAnswer | Promise<ApiAnswer>,
): Route {
  return { method, path, caller, bodyLimitBytes: 0, handle };
}

export interface Match {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Finds the route of a request. */
export class Router {
  readonly routes: readonly Route[];
  readonly #fixed = new Map<string, Route>();
  readonly #patterns: readonly { readonly route: Route; readonly expression: RegExp }[];

  constructor(routes: readonly Route[]) {
    this.routes = routes;
    for (const route of routes) this.#fixed.set(`${route.method} ${route.path}`, route);
    this.#patterns = routes
      .filter(({ path }) => path.includes("{"))
      .map((route) => ({
        route,
        expression: new RegExp(`^${route.path.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`),
      }));
  }

  /**
   * @returns Undefined where no route has this path.
   * @throws RequestError 405 where the path is known and the method is not.
   */
  find(method: string, path: string): Match | undefined {
    const fixed = this.#fixed.get(`${method} ${path}`);
    if (fixed !== undefined && !fixed.path.includes("{")) return { route: fixed, parameters: {} };
    const matches = this.#patterns.flatMap(({ route, expression }) => {
      const groups = expression.exec(path)?.groups;
      return groups === undefined ? [] : [{ route, parameters: decodeAll(groups) }];
    });
    const match = matches.find(({ route }) => route.method === method);
    if (match !== undefined) return match;
    const others = [...this.routes.filter((route) => route.path === path), ...matches];
    if (others.length === 0) return undefined;
    throw new RequestError(
      405,
      "E_METHOD",
      `Cannot ${method} ${path}: not a method of this path, expected another`,
    );
  }
}

function decodeAll(groups: Readonly<Record<string, string>>): Record<string, string> {
  try {
    return Object.fromEntries(
      Object.entries(groups).map(([name, text]) => [name, decodeURIComponent(text)]),
    );
  } catch {
    throw new RequestError(400, "E_PATH", "Cannot read the path: a broken escape, expected %XX");
  }
}
