import { expect, test } from "vitest";
import { formatPhaseLine, parsePhaseLines } from "../../../scripts/machine/phase-lines.ts";
import { openProgress } from "../../../scripts/machine/progress.ts";

const SERIAL = `[    1.204531] virtio_net virtio0 eth0: renamed
[  1.812] system         done     mounts, 14 settings
[  1.903] overlay        skipped  no zerotier= on the kernel command line
[  2.100] network        retrying eth0: no carrier
[  2.500] boot           note     something done
`;

const LINES = parsePhaseLines(SERIAL);

test("picks the transitions out of a serial log", () => {
  expect(LINES).toEqual([
    { atText: "1.812", phase: "system", state: "done", reason: "mounts, 14 settings" },
    {
      atText: "1.903",
      phase: "overlay",
      state: "skipped",
      reason: "no zerotier= on the kernel command line",
    },
    { atText: "2.100", phase: "network", state: "retrying", reason: "eth0: no carrier" },
  ]);
});

test("a line without reason ends with the phase", () => {
  expect(formatPhaseLine({ atText: "0.1", phase: "api", state: "done", reason: "" })).toBe(
    "      0.1 s  done      api",
  );
});

test("writes each transition once where the output is no terminal", () => {
  const written: string[] = [];
  const progress = openProgress({
    write: (text: string | Uint8Array) => written.push(`${text}`) > 0,
  });
  progress.show(LINES.slice(0, 1));
  progress.show(LINES.slice(0, 2));
  progress.show(LINES.slice(0, 2));
  expect(written).toHaveLength(2);
  expect(written[1]).toContain("overlay");
});

test("draws one line per phase in place on a terminal, cut to its width", () => {
  const written: string[] = [];
  const write = (text: string | Uint8Array): boolean => written.push(`${text}`) > 0;
  const progress = openProgress({ write, isTTY: true, columns: 40 });
  progress.show(LINES);
  const again = { atText: "3.0", phase: "network", state: "done", reason: "x".repeat(80) } as const;
  progress.show([...LINES, again]);
  expect(written).toHaveLength(2);
  const redrawn = written[1] ?? "";
  expect(redrawn.startsWith("\u001b[3A\u001b[J")).toBe(true);
  const shown = redrawn.trimEnd().split("\n");
  expect(shown).toHaveLength(3);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of the terminal
  expect(shown[2]?.replaceAll(/\u001b\[\d*[mAJ]/g, "")).toHaveLength(39);
});
