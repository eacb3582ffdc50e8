import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HostAgent, NODE0 } from "./cli-agent.ts";

const agent = new HostAgent();

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";

const hasScript = spawnSync("script", ["--version"]).status === 0;
if (!hasScript) console.log("top on a terminal is skipped: script is not installed");

beforeAll(async () => {
  await agent.start();
  const busy = "while :; do :; done";
  await agent.cli(["run", "--detach", "--id", "busy", "--max-time", "60", "--", "sh", "-c", busy]);
});
afterAll(() => agent.stop());

test("one picture where there is no terminal: the busy job and its process", async () => {
  const { code, out, err } = await agent.cli(["top"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).not.toContain("\u001b");
  expect(out).toMatch(/^machine .*\nprocessors .* % of \d+\nmemory .* used\njobs +\d+, /);
  expect(out).toMatch(/\nbusy +core.system /);
  expect(out).toMatch(/\nPID +CPU +MEMORY +PROCESS\n/);
});

test("as an object for every picture", async () => {
  const words = ["top", "-o", "json", "--count", "2", "--interval", "0.3"];
  const { code, out } = await agent.cli(words);
  expect(code).toBe(0);
  const pictures = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(pictures).toHaveLength(2);
  for (const picture of pictures) {
    const ids = picture.jobs.map(({ cmd }: { cmd: { id: string } }) => cmd.id);
    expect(ids).toContain("busy");
    expect(picture.jobs.map(({ cmd }: { cmd: { command: string } }) => cmd.command)).not.toContain(
      "job.list",
    );
    expect(picture.cpuPercent).toBeGreaterThan(1);
    expect(picture.memoryUsed).toBeLessThan(picture.memoryTotal);
    const busy = picture.processes.find(({ name }: { name: string }) => name === "sh");
    expect(busy.cpuPercent).toBeGreaterThan(1);
  }
});

describe.skipIf(!hasScript)("on a terminal", () => {
  /** Runs top in a terminal of 60 columns and 15 rows. */
  function open(...words: string[]) {
    const target = `--port ${agent.port} --password-file ${agent.passwordFile}`;
    const line = `stty cols 60 rows 15; exec ${NODE0} ${target} top --interval 0.2 ${words.join(" ")}`;
    const child = spawn("script", ["-qec", line, "/dev/null"], { cwd: agent.directory });
    const seen = { text: "" };
    child.stdout.on("data", (text: Buffer) => {
      seen.text += text.toString();
    });
    return { child, seen };
  }

  test("draws over what is there and gives the terminal back", async () => {
    const { child, seen } = open("--count", "3");
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(0);
    const { text } = seen;
    expect(text.split(ENTER)).toHaveLength(2);
    expect(text.trimEnd().endsWith(LEAVE)).toBe(true);
    // Nothing is cleared before it is drawn again: that would flicker.
    expect(text).not.toContain("\u001b[2J");
    const frames = text.split("\u001b[H").slice(1);
    expect(frames).toHaveLength(3);
    for (const frame of frames) {
      const [picture = ""] = frame.split("\u001b[J");
      const lines = picture.split(/\r*\n/);
      expect(lines.length).toBeLessThanOrEqual(15);
      for (const line of lines) expect(visible(line).length).toBeLessThanOrEqual(60);
      expect(picture).toContain("busy");
      expect(picture).toContain("PROCESS");
    }
  });

  test("Ctrl-C ends it and gives the terminal back", async () => {
    const { child, seen } = open();
    await expect
      .poll(() => seen.text.split("\u001b[H").length, { timeout: 20_000 })
      .toBeGreaterThan(2);
    child.stdin.write("\u0003");
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(130);
    expect(seen.text.trimEnd().endsWith(LEAVE)).toBe(true);
  });
});

/** A line without what steers the terminal. */
function visible(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
  return line.replaceAll(/\u001b\[[\d;?]*[A-Za-z]/g, "");
}
