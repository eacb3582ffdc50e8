/** One value the main configuration file may hold. */
export interface ConfigKey {
  /** Names from the top; `*` is any name. */
  readonly path: readonly string[];
  /** Values allowed, in words. */
  readonly allowed: string;
  readonly isAllowed: (value: unknown) => boolean;
}

export function key(
  path: string,
  allowed: string,
  isAllowed: (value: unknown) => boolean,
): ConfigKey {
  return { path: path.split("."), allowed, isAllowed };
}

export function whole(path: string, minimum: number, maximum: number): ConfigKey {
  return key(path, `an integer from ${minimum} to ${maximum}`, (value) =>
    isWhole(value, minimum, maximum),
  );
}

export function flag(path: string): ConfigKey {
  return key(path, "true or false", (value) => typeof value === "boolean");
}

export function text(path: string): ConfigKey {
  return key(path, "a string", isText);
}

export function levels(path: string): ConfigKey {
  return key(path, "an array of integers from 0 to 30", (value) =>
    isListOf(value, (level) => isWhole(level, 0, 30)),
  );
}

export function isText(value: unknown): boolean {
  return typeof value === "string";
}

export function isPath(value: unknown): boolean {
  return typeof value === "string" && /^\/[^\0]*$/.test(value);
}

export function isWhole(value: unknown, minimum: number, maximum: number): boolean {
  return (
    typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum
  );
}

export function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}
