import { isTable, type Keys } from "./table-reader.ts";

const isText = (value: unknown): value is string => typeof value === "string";
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

const MAX_SECONDS = 86_400;
const MAX_COUNT = 1_000_000;

/** Keys of `[startup."ID"]`. */
export const SERVICE_KEYS: Keys = {
  name: { allowed: "the name of a command", isAllowed: (value) => isText(value) && value !== "" },
  condition: { allowed: "a condition", isAllowed: isText },
  after: {
    allowed: "an array of init, net, boot and names of services",
    isAllowed: (value) => isTexts(value),
  },
  running_delay: {
    allowed: `an integer up to ${MAX_SECONDS}, seconds`,
    isAllowed: (value) => isWhole(value, -MAX_SECONDS, MAX_SECONDS),
  },
  running_match: { allowed: "a regular expression", isAllowed: isText },
  running_limit: {
    allowed: `an integer from 1 to ${MAX_SECONDS}, seconds`,
    isAllowed: (value) => isWhole(value, 1, MAX_SECONDS),
  },
  protected: { allowed: "true or false", isAllowed: (value) => typeof value === "boolean" },
  max_restart: whole(MAX_COUNT),
  recurring_period: whole(MAX_SECONDS * 366),
  tags: { allowed: "an array of strings", isAllowed: (value) => isTexts(value) },
  args: { allowed: "a table", isAllowed: isTable },
};

/** Keys of `[extension."NAME"]`. */
export const EXTENSION_KEYS: Keys = {
  binary: { allowed: "a program", isAllowed: (value) => isText(value) && value !== "" },
  cwd: { allowed: "a string", isAllowed: isText },
  args: { allowed: "an array of strings", isAllowed: (value) => isTexts(value) },
  env: {
    allowed: "a table of strings",
    isAllowed: (value) => isTable(value) && Object.values(value).every(isText),
  },
  access: {
    allowed: "one of read, operate, admin",
    isAllowed: (value) => ["read", "operate", "admin"].some((access) => access === value),
  },
};

function isWhole(value: unknown, minimum: number, maximum: number): boolean {
  return Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum;
}

function whole(maximum: number): Keys[string] {
  return {
    allowed: `an integer from 0 to ${maximum}`,
    isAllowed: (value) => isWhole(value, 0, maximum),
  };
}
