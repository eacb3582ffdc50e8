/** One output stream of the tool. */
export interface Output {
  readonly isTerminal: boolean;
  /** Characters across and down; undefined where there is no terminal. */
  readonly size: { readonly columns: number; readonly rows: number } | undefined;
  /** Resolves at once, or when the reader has caught up after falling far behind. */
  write(text: string | Uint8Array): Promise<void>;
}

/** Signals that end the tool; `SIGPIPE` stands for a closed standard output. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGPIPE";

/** The tool's surroundings; tests pass their own. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  /** False when nobody can be asked a question. */
  readonly isInteractive: boolean;
  readStdin(): Promise<Uint8Array>;
  /** Standard input in pieces, as it comes. */
  streamStdin(): AsyncIterable<Uint8Array>;
  /** Asks the person at the terminal for one line. */
  ask(question: string): Promise<string>;
  /** While a listener is there, stop signals go to it instead of ending the tool. */
  onStop(listener: (signal: StopSignal) => void): () => void;
}
