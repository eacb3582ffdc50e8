import type { AuditLine } from "./audit.ts";

/** Kinds of lines remembered at a time; repeats of more kinds are counted together. */
const MOST_KINDS = 2000;

interface Kind {
  readonly line: AuditLine;
  count: number;
}

/**
 * Keeps a flood from growing the audit log without bound. The first line of a kind (action, subject,
 * actor, outcome) is written at once, those like it within the same window become one line at its
 * end that says how many they were.
 */
export class AuditRepeats {
  readonly #write: (line: AuditLine) => void;
  readonly #kinds = new Map<string, Kind>();
  #others = 0;

  constructor(write: (line: AuditLine) => void) {
    this.#write = write;
  }

  append(line: AuditLine): void {
    const name = JSON.stringify([line.action, line.subject, line.actor, line.outcome]);
    const known = this.#kinds.get(name);
    if (known !== undefined) {
      known.count += 1;
    } else if (this.#kinds.size < MOST_KINDS) {
      this.#kinds.set(name, { line, count: 0 });
      this.#write(line);
    } else {
      this.#others += 1;
    }
  }

  /** Ends the window. @param windowS Its length, for the text of the lines. */
  flush(windowS: number): void {
    for (const { line, count } of this.#kinds.values()) {
      if (count > 0) this.#write({ ...line, detail: `${count} more within ${windowS} s` });
    }
    if (this.#others > 0) {
      this.#write({
        action: "unlock",
        subject: "",
        actor: "",
        outcome: "throttled",
        detail: `${this.#others} requests of many other sources within ${windowS} s`,
      });
    }
    this.#kinds.clear();
    this.#others = 0;
  }
}
