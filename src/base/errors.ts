/** Values an error may carry beside its message. Never secrets: these are logged as they are. */
export type ErrorFields = Readonly<Record<string, string | number | boolean | null>>;

/**
 * The one error class of node0.
 *
 * @param code Stable upper-case identifier, for example `E_CONFIG_VALUE`; callers branch on it.
 * @param message "Cannot <verb> <object>: <what was seen>, expected <what>", without a full stop.
 */
export class AgentError extends Error {
  readonly code: string;
  readonly fields: ErrorFields;

  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; fields?: ErrorFields } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AgentError";
    this.code = code;
    this.fields = options.fields ?? {};
  }
}

/** Text of anything that was thrown, in one line. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, " ");
}

/** The `code` of a thrown value (`ENOENT`, `E_CONFIG_VALUE`), or undefined where it has none. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}
