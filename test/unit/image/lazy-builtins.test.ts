import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { formatLazyModule } from "../../../src/image/lazy-builtins.ts";

/** Runs the generated module with a `require` that counts. */
function load(name: string, exports: readonly string[]) {
  const asked: string[] = [];
  const real = createRequire(import.meta.url);
  const module = { exports: {} as Record<string, unknown> };
  const run = new Function("require", "module", formatLazyModule(name, exports));
  run((path: string) => {
    asked.push(path);
    return real(path);
  }, module);
  return { asked, exports: module.exports };
}

test("a lazy module is loaded when the first export is read, and once", () => {
  const { asked, exports } = load("node:crypto", ["randomUUID", "createHash"]);

  expect(Object.keys(exports)).toEqual(["createHash", "randomUUID"]);
  expect(asked).toEqual([]);
  expect(exports["randomUUID"]).toBeTypeOf("function");
  expect(exports["createHash"]).toBeTypeOf("function");
  expect(asked).toEqual(["node:crypto"]);
});
