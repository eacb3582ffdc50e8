import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { commandListPlugin, nativeAddonPlugin } from "../../../src/image/bundle-plugins.ts";
import { formatCpio } from "../../../src/image/cpio.ts";
import { Tree } from "../../../src/image/tree.ts";

const ROOT = join(import.meta.dirname, "../../..");
const DNSMASQ = "/usr/sbin/dnsmasq";

/** Where the drive is unpacked in the machine. */
export const LAB = "/lab";

/** How dnsmasq of this host runs in the machine, whose C library may be another one. */
export const LAB_DNSMASQ: readonly string[] = [
  `${LAB}/lib/ld.so`,
  "--library-path",
  `${LAB}/lib`,
  `${LAB}/dnsmasq`,
];

export interface LabFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Writes a cpio archive for a read-only drive: dnsmasq of this host with its libraries, and programs
 * of ours as one file each.
 *
 * @param programs Paths of TypeScript files below the project; `x/y.ts` becomes `y.mjs`.
 * @param files Further files, with paths below the archive.
 */
export async function writeLabDrive(
  target: string,
  programs: readonly string[],
  files: readonly LabFile[] = [],
): Promise<void> {
  const tree = new Tree();
  tree.addFile("dnsmasq", DNSMASQ, 0o755);
  for (const path of librariesOf(DNSMASQ)) {
    const name = basename(path);
    tree.addFile(`lib/${name.startsWith("ld-linux") ? "ld.so" : name}`, path, 0o755);
  }
  for (const { path, contents } of await bundle(programs)) {
    tree.add(path, { kind: "file", mode: 0o644, source: contents });
  }
  for (const { path, text } of files) tree.addText(path, text);
  writeFileSync(target, formatCpio(tree));
}

/** Libraries a program needs, its loader among them. */
function librariesOf(program: string): string[] {
  const text = execFileSync("ldd", [program], { encoding: "utf8" });
  return [...text.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
}

async function bundle(programs: readonly string[]) {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: programs.map((path) => join(ROOT, path)),
    outdir: "/",
    write: false,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node26",
    logLevel: "warning",
    loader: { ".node": "copy" },
    assetNames: "[name]",
    entryNames: "[name]",
    outExtension: { ".js": ".mjs" },
    external: ["esbuild"],
    plugins: [commandListPlugin(ROOT), nativeAddonPlugin(ROOT)],
    banner: {
      js:
        'import{createRequire as bundleRequire}from"node:module";' +
        "const require=bundleRequire(import.meta.url);" +
        "const __dirname=import.meta.dirname,__filename=import.meta.filename;",
    },
  });
  return outputFiles.map(({ path, contents }) => ({ path: basename(path), contents }));
}
