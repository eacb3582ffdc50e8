/** What the registry of the node says about one command. */
export interface CommandHelp {
  readonly summary: string;
  readonly access: "read" | "operate" | "admin";
  /** 20: the command returns a JSON value; 0: it returns none. */
  readonly level: number;
  readonly result: string;
  readonly arguments: readonly ArgumentHelp[];
}

export interface ArgumentHelp {
  /** Members of nested objects as `outer.inner`, of elements as `list[].member`. */
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly description?: string;
  readonly default?: unknown;
  readonly choices?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}
