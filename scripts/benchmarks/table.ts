/** One measured figure beside its bar. */
export interface Figure {
  readonly name: string;
  readonly bar: string;
  readonly measured: string;
  readonly isMet: boolean;
}

/** Prints the figures as a Markdown table, ready for README and notes. */
export function printFigures(title: string, figures: readonly Figure[]): void {
  console.log(`\n${title}\n`);
  console.log("| figure | bar | measured | met |");
  console.log("|---|---|---|---|");
  for (const { name, bar, measured, isMet } of figures) {
    console.log(`| ${name} | ${bar} | ${measured} | ${isMet ? "yes" : "**no**"} |`);
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** "12.3 (11.9 to 13.0)": median and range. */
export function spread(values: readonly number[], digits: number): string {
  const low = Math.min(...values).toFixed(digits);
  const high = Math.max(...values).toFixed(digits);
  return `${median(values).toFixed(digits)} (${low} to ${high})`;
}
