import {
  DEFAULT_KERNEL_SETTINGS,
  KERNEL_WORDS,
  type KernelSettings,
  type KernelWord,
} from "./kernel-words.ts";

export interface KernelCommandLine {
  readonly settings: KernelSettings;
  /** One sentence each; nothing on the command line can stop the boot. */
  readonly problems: readonly string[];
}

/**
 * Reads what node0 knows on the kernel command line and leaves the kernel's own words alone.
 * Of a word given more than once the last valid value counts; lists add up.
 *
 * @param text Contents of /proc/cmdline.
 */
export function parseKernelCommandLine(text: string): KernelCommandLine {
  let settings = DEFAULT_KERNEL_SETTINGS;
  const problems: string[] = [];
  for (const word of splitWords(text)) {
    const known = KERNEL_WORDS.find(({ name }) => name === word.name);
    if (known !== undefined) {
      for (const value of valuesOf(known, word.value)) {
        const change = isFitting(known, value) ? known.read(value ?? "", settings) : undefined;
        if (change === undefined) problems.push(describeProblem(known, value));
        settings = { ...settings, ...change };
      }
    } else if (word.name.startsWith("node0.")) {
      problems.push(
        `Cannot use ${word.name} on the kernel command line: no such word, ${nearby()}`,
      );
    }
  }
  return { settings, problems };
}

/** Every word with its last value, empty for a word without one; names as they are written. */
export function listKernelWords(text: string): Map<string, string> {
  return new Map(splitWords(text).map(({ written, value }) => [written, value ?? ""]));
}

interface Word {
  readonly name: string;
  readonly written: string;
  readonly value: string | undefined;
}

/**
 * Splits as the kernel does: a double quote starts and ends a stretch in which spaces belong to the
 * word, and one pair around the value or around the whole word is dropped.
 *
 * Source: next_arg() in the kernel's lib/cmdline.c. Parameter names do not distinguish - and _.
 */
function splitWords(text: string): Word[] {
  const words = text.match(/(?:"[^"]*(?:"|$)|[^\s"])+/g) ?? [];
  return words.map((word) => {
    const whole = word.startsWith('"') ? unquote(word) : word;
    const equals = whole.indexOf("=");
    const written = equals < 0 ? whole : whole.slice(0, equals);
    const name = written.replaceAll("_", "-");
    return { name, written, value: equals < 0 ? undefined : unquote(whole.slice(equals + 1)) };
  });
}

function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  return text.endsWith('"') && text.length > 1 ? text.slice(1, -1) : text.slice(1);
}

function valuesOf(known: KernelWord, value: string | undefined): (string | undefined)[] {
  return known.kind === "list" && value !== undefined ? value.split(",") : [value];
}

function isFitting(known: KernelWord, value: string | undefined): boolean {
  return known.kind === "flag" ? value === undefined : value !== undefined;
}

function describeProblem(known: KernelWord, value: string | undefined): string {
  const seen = value === undefined ? "no value" : `"${value}"`;
  return `Cannot use ${known.name} on the kernel command line: ${seen} seen, expected ${known.allowed}`;
}

function nearby(): string {
  const own = KERNEL_WORDS.map(({ name }) => name).filter((name) => name.startsWith("node0."));
  return `expected one of ${own.join(", ")}`;
}
