import type { JobMessage, JobResult, JobSink } from "../../src/job/types.ts";

/** Keeps everything a job engine publishes, and knows each accepted id for ever. */
export class RecordingSink implements JobSink {
  readonly acceptedIds: string[] = [];
  readonly messages: JobMessage[] = [];
  readonly results: JobResult[] = [];
  readonly #waiters = new Map<string, (result: JobResult) => void>();

  accepted(id: string): void {
    this.acceptedIds.push(id);
  }

  isKnown(id: string): boolean {
    return this.acceptedIds.includes(id);
  }

  message(message: JobMessage): void {
    this.messages.push(message);
  }

  finished(result: JobResult): void {
    this.results.push(result);
    this.#waiters.get(result.id)?.(result);
  }

  /** The result of a job, now or when it comes. */
  resultOf(id: string): Promise<JobResult> {
    const result = this.results.find((other) => other.id === id);
    if (result !== undefined) return Promise.resolve(result);
    return new Promise((resolve) => this.#waiters.set(id, resolve));
  }

  /** `meta` of every message of a job, as `stream:<id>` would show it (wire protocol 8). */
  metasOf(id: string): number[] {
    return this.#messagesOf(id).map(({ level, flags }) => level * 65_536 + flags);
  }

  textsOf(id: string): string[] {
    return this.#messagesOf(id).map(({ text }) => text);
  }

  #messagesOf(id: string): JobMessage[] {
    return this.messages.filter((message) => message.jobId === id);
  }
}
