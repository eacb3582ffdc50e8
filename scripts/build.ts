import { join } from "node:path";
import { buildBundle } from "../src/image/bundle.ts";

const root = join(import.meta.dirname, "..");
const outDir = join(root, "dist/bundle");
const { revision, dirty } = await buildBundle({ root, outDir });
console.log(`bundle: ${outDir} (${revision.slice(0, 12)}${dirty ? ", dirty" : ""})`);
