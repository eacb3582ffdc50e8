import { runControllerCommand } from "../../src/controller/command.ts";
import { whenRunEnds } from "./run-owner.ts";

/** Runs `node0 controller serve` and ends it with a run; arguments: directory of the run, words. */
const [directory = "", ...words] = process.argv.slice(2);

whenRunEnds(directory, () => process.kill(process.pid, "SIGTERM"));
process.exit(await runControllerCommand(["serve", ...words]));
