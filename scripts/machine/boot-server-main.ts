import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BootFiles, openBootServer } from "./boot-server.ts";
import { BOOT_FILES, BOOT_URL } from "./boot-server-process.ts";
import { whenRunEnds } from "./run-owner.ts";

/** Serves the boot files of one machine; argument: its directory. Ends with its run. */
const directory = process.argv[2] ?? "";

const files = JSON.parse(readFileSync(join(directory, BOOT_FILES), "utf8")) as BootFiles;
const server = await openBootServer(files);
const target = join(directory, BOOT_URL);
writeFileSync(`${target}.new`, server.bootUrl, { mode: 0o600 });
renameSync(`${target}.new`, target);

whenRunEnds(directory, () => void server.close());
