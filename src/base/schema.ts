import { AgentError } from "./errors.ts";

/**
 * Argument schemas: a small builder whose values are JSON Schema (draft 2020-12 subset) and whose
 * TypeScript type follows from it. One schema drives validation, `COMMAND DOCS`, the help of the
 * command line tool and `docs/commands.md`.
 *
 * Wire rules built in (0-core wire protocol, 4.3): `null` equals absent for every member; unknown
 * members are ignored; a wrong type is an error that names the path, the value seen and the type wanted.
 */
export interface Schema<T> {
  readonly type: "string" | "integer" | "number" | "boolean" | "array" | "object" | "any";
  readonly description?: string;
  readonly default?: T;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  readonly items?: Schema<unknown>;
  readonly properties?: Readonly<Record<string, Schema<unknown>>>;
  readonly required?: readonly string[];
  /** Value schema of an object used as a map. */
  readonly additionalProperties?: Schema<unknown>;
  /** Phantom member: carries the type, never present at run time. */
  readonly __type?: T;
}

export type Infer<S> = S extends Schema<infer T> ? T : never;

interface StringOptions {
  description?: string;
  enum?: readonly string[];
}

interface NumberOptions {
  description?: string;
  minimum?: number;
  maximum?: number;
}

export const string = (options: StringOptions = {}): Schema<string> => ({
  type: "string",
  ...options,
});

export const integer = (options: NumberOptions = {}): Schema<number> => ({
  type: "integer",
  ...options,
});

export const number = (options: NumberOptions = {}): Schema<number> => ({
  type: "number",
  ...options,
});

export const boolean = (options: { description?: string } = {}): Schema<boolean> => ({
  type: "boolean",
  ...options,
});

export const any = (options: { description?: string } = {}): Schema<unknown> => ({
  type: "any",
  ...options,
});

export const array = <T>(
  items: Schema<T>,
  options: { description?: string } = {},
): Schema<T[]> => ({ type: "array", items: items as Schema<unknown>, ...options });

export const map = <T>(
  values: Schema<T>,
  options: { description?: string } = {},
): Schema<Record<string, T>> => ({
  type: "object",
  additionalProperties: values as Schema<unknown>,
  ...options,
});

/** Makes an object member always present: `withDefault(string(), "")`. */
export const withDefault = <T>(
  schema: Schema<T>,
  value: T,
): Schema<T> & { readonly default: T } => ({ ...schema, default: value });

type Properties = Readonly<Record<string, Schema<unknown>>>;
type Present<P extends Properties, R extends keyof P> = {
  [K in keyof P as K extends R ? K : P[K] extends { default: unknown } ? K : never]: Infer<P[K]>;
};
type Maybe<P extends Properties, R extends keyof P> = {
  [K in keyof P as K extends R ? never : P[K] extends { default: unknown } ? never : K]?: Infer<
    P[K]
  >;
};

/**
 * An object with named members. A member is present after `parseWith` when it is listed in
 * `required`; every other member may be undefined (its `default`, where given, is filled in).
 */
export const object = <P extends Properties, R extends keyof P & string = never>(
  properties: P,
  required: readonly R[] = [],
): Schema<Present<P, R> & Maybe<P, R>> => ({ type: "object", properties, required });

/**
 * Checks `value` against `schema` and fills in defaults.
 *
 * @param path Name shown for the value itself in messages, for example `arguments`.
 * @throws AgentError `E_SCHEMA` naming the path, the value seen and what is allowed.
 */
export function parseWith<T>(schema: Schema<T>, value: unknown, path = "arguments"): T {
  return check(schema as Schema<unknown>, value, path) as T;
}

function check(schema: Schema<unknown>, value: unknown, path: string): unknown {
  switch (schema.type) {
    case "any":
      return value;
    case "string":
      if (typeof value !== "string") throw wrong(path, value, "a string");
      if (schema.enum !== undefined && !schema.enum.includes(value)) {
        throw wrong(path, value, `one of ${schema.enum.join(", ")}`);
      }
      return value;
    case "boolean":
      if (typeof value !== "boolean") throw wrong(path, value, "true or false");
      return value;
    case "integer":
    case "number":
      return checkNumber(schema, value, path);
    case "array":
      if (!Array.isArray(value)) throw wrong(path, value, "an array");
      return value.map((item, index) => checkItem(schema, item, `${path}[${index}]`));
    case "object":
      return checkObject(schema, value, path);
  }
}

function checkItem(schema: Schema<unknown>, item: unknown, path: string): unknown {
  return schema.items === undefined ? item : check(schema.items, item, path);
}

function checkNumber(schema: Schema<unknown>, value: unknown, path: string): number {
  const what = schema.type === "integer" ? "an integer" : "a number";
  const isWhole = schema.type === "number" || Number.isInteger(value);
  if (typeof value !== "number" || !isWhole) throw wrong(path, value, what);
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
  if (value < minimum || value > maximum) {
    throw wrong(path, value, `${what} from ${minimum} to ${maximum}`);
  }
  return value;
}

function checkObject(schema: Schema<unknown>, value: unknown, path: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(path, value, "an object");
  }
  const given = value as Record<string, unknown>;
  if (schema.additionalProperties !== undefined) {
    const result: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(given)) {
      if (item !== null) result[key] = check(schema.additionalProperties, item, `${path}.${key}`);
    }
    return result;
  }
  const result: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(schema.properties ?? {})) {
    const item = given[key] ?? member.default;
    if (item !== undefined) result[key] = check(member, item, `${path}.${key}`);
    else if (schema.required?.includes(key)) throw wrong(`${path}.${key}`, undefined, "a value");
  }
  return result;
}

function wrong(path: string, value: unknown, wanted: string): AgentError {
  const seen = value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value));
  const shown = seen.length > 80 ? `${seen.slice(0, 77)}...` : seen;
  return new AgentError("E_SCHEMA", `Cannot use ${path}: ${shown} seen, expected ${wanted}`, {
    fields: { path },
  });
}
