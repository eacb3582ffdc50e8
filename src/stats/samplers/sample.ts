import { sortTags } from "../parse-line.ts";
import type { Operation, Sample, Tag } from "../types.ts";

/** What all samples of the hardware carry (wire protocol 10.4); those of machines on it differ. */
const PHYSICAL: Tag = ["type", "phys"];

export interface Row {
  readonly op: Operation;
  readonly metric: string;
  readonly value: number;
  /** Instance: a disk, a processor, a link. */
  readonly id?: string;
  readonly tags?: readonly Tag[];
}

export function physical({ op, metric, value, id, tags = [] }: Row): Sample {
  const all: Tag[] = [PHYSICAL, ...tags];
  if (id !== undefined) all.push(["id", id]);
  return { metric, value, op, tags: sortTags(all) };
}

/** Numbers of a line of a kernel file; what is no number is 0. */
export function numbersOf(fields: readonly string[]): number[] {
  return fields.map((field) => Number(field) || 0);
}
