import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { whenRunEnds } from "./run-owner.ts";

/**
 * Runs `node0 controller serve` and ends it with a run; arguments: directory of the run, words. The
 * compiled code is kept where `node0` keeps it: the start then takes half the time.
 */
enableCompileCache(join(import.meta.dirname, "../../node_modules/.cache/node0"));
const { runControllerCommand } = await import("../../src/controller/command.ts");
const [directory = "", ...words] = process.argv.slice(2);

whenRunEnds(directory, () => process.kill(process.pid, "SIGTERM"));
process.exit(await runControllerCommand(["serve", ...words]));
