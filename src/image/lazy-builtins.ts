import { createRequire } from "node:module";
import type { Plugin } from "esbuild";

/**
 * Modules of Node.js that the agent needs some time after its start, or never. Each loads a good many
 * of Node's internal modules: together half of the agent's own start (figures in `docs/decisions.md`).
 */
const LAZY = ["child_process", "crypto", "fs/promises", "timers/promises"];

const NAMESPACE = "lazy-builtin";

/** What pino writes files and feeds worker threads with. The agent's logger has sinks of its own. */
const UNUSED_BY_LOGGER = /^(sonic-boom|thread-stream)$/;

/**
 * Makes the agent load such a module when the first of its exports is used, whatever the source says.
 * Their exports are functions and classes, so nobody notices the difference.
 */
export function lazyBuiltinsPlugin(): Plugin {
  return {
    name: "lazy-builtins",
    setup(build) {
      const filter = new RegExp(`^(node:)?(${LAZY.join("|")})$`);
      build.onResolve({ filter }, ({ path, namespace }) =>
        namespace === NAMESPACE
          ? { path, external: true }
          : { path: `node:${path.replace(/^node:/, "")}`, namespace: NAMESPACE },
      );
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
        contents: formatLazyModule(path, Object.keys(createRequire(import.meta.url)(path))),
        loader: "js",
      }));
    },
  };
}

/** Leaves the writers of pino out; whoever constructs one is told so. */
export function plainLoggerPlugin(): Plugin {
  return {
    name: "plain-logger",
    setup(build) {
      build.onResolve({ filter: UNUSED_BY_LOGGER }, ({ path }) => ({ path, namespace: "unused" }));
      build.onLoad({ filter: /.*/, namespace: "unused" }, ({ path }) => ({
        contents: `module.exports = class { constructor() { throw new Error("Cannot open ${path}: not in this bundle"); } };`,
        loader: "js",
      }));
    },
  };
}

/** Source of a CommonJS module that has the exports of `name` and loads it when one is read. */
export function formatLazyModule(name: string, exports: readonly string[]): string {
  const getters = [...exports].sort().map((key) => `get ${key}(){return load().${key}}`);
  return [
    "let loaded;",
    `const load = () => (loaded ??= require(${JSON.stringify(name)}));`,
    `module.exports = {${getters.join(",")}};`,
    "",
  ].join("\n");
}
