import type { Io, Output, StopSignal } from "../../../src/cli/io.ts";

/** Surroundings that record what was written and answer from their fields. */
export class FakeIo implements Io {
  out = "";
  err = "";
  readonly env: Record<string, string | undefined> = {};
  cwd = "/nonexistent";
  isInteractive = false;
  readonly stdout: Output = this.#output((text) => {
    this.out += text;
  });
  readonly stderr: Output = this.#output((text) => {
    this.err += text;
  });

  async *streamStdin(): AsyncGenerator<Uint8Array> {
    yield await this.readStdin();
  }

  async readStdin(): Promise<Uint8Array> {
    return new Uint8Array();
  }

  async ask(): Promise<string> {
    return "";
  }

  onStop(_listener: (signal: StopSignal) => void): () => void {
    return () => undefined;
  }

  #output(take: (text: string) => void): Output {
    return {
      isTerminal: false,
      size: undefined,
      write: async (text) => {
        take(typeof text === "string" ? text : Buffer.from(text).toString());
      },
    };
  }
}
