import { expect, test } from "vitest";
import { formatCommandList } from "../../../src/image/bundle-plugins.ts";

test("the list of commands is the same in whichever order the files were found", () => {
  const found = ["info/cpu.ts", "bash.ts", "core/ping.ts"];

  const text = formatCommandList(found);

  expect(text).toBe(formatCommandList([...found].reverse()));
  expect(text).toContain('import { command as c0 } from "./commands/bash.ts";');
  expect(text).toContain("const all = [c0, c1, c2];");
});
