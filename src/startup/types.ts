import type { ExtensionConfig } from "../config/node-config.ts";

/** Points of the boot that services wait for, in order. */
export const MILESTONES = ["init", "net", "boot"] as const;
export type Milestone = (typeof MILESTONES)[number];

/** One `[startup."ID"]` of a configuration file. */
export interface StartupService {
  /** Its job has this id. */
  readonly id: string;
  /** FILE:LINE. */
  readonly place: string;
  /** Name of the command. */
  readonly command: string;
  /** As in the file: conditions in keys, and `{name}` in texts. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly condition: string;
  /** Milestones and other services. */
  readonly after: readonly string[];
  /** Seconds a run must last; negative: until it has ended well. */
  readonly runningDelay: number;
  /** Matches the line that says it is up; null: the delay counts. */
  readonly runningMatch: RegExp | null;
  /** Seconds after which nobody waits for it any more. */
  readonly runningLimit: number;
  readonly isProtected: boolean;
  readonly maxRestart: number;
  readonly recurringPeriod: number;
  readonly tags: readonly string[] | null;
}

/** One `[extension."NAME"]` of a configuration file. */
export interface StartupExtension extends ExtensionConfig {
  readonly name: string;
  /** FILE:LINE, or FILE. */
  readonly place: string;
}
