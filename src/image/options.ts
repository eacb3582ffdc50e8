import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { AgentError } from "../base/errors.ts";
import { NO_ZEROTIER } from "./zerotier.ts";

export const FLAVOURS = ["cloud", "generic"] as const;
export const LAYOUTS = ["cpio", "squashfs", "erofs"] as const;

export type Layout = (typeof LAYOUTS)[number];

/** What kind of image is built, and where. */
export interface ImageOptions {
  /** `cloud`: virtual machines. `generic`: network cards and disks of real servers too. */
  readonly flavour: (typeof FLAVOURS)[number];
  /** How the root file system is packed; see `docs/image.md` for what was measured. */
  readonly layout: Layout;
  /** Compressor as the packing tool names it, for example `lz4hc,9`; undefined: the layout's own default. */
  readonly compression?: string;
  readonly outDir: string;
  /** Directories laid over the file tree, the last one on top. */
  readonly overlays: readonly string[];
  /** Program the overlay is joined with, or `none`; undefined: the one in `PATH`, if there is one. */
  readonly zerotierBin?: string;
  readonly debianMirror?: string;
  /** A finished bundle directory; undefined: the bundle is built from the sources. */
  readonly bundleDir?: string;
}

/**
 * Reads the words behind `image build`.
 *
 * @throws AgentError `E_USAGE`
 */
export function parseImageOptions(argv: readonly string[], root: string): ImageOptions {
  const { values, tokens } = parse(argv);
  const overlays = tokens.flatMap((token) =>
    token.kind === "option" && LAID_OVER.includes(token.name) ? (token.value ?? []) : [],
  );
  const zerotierBin = values["zerotier-bin"];
  const optional = { compression: values.compression, debianMirror: values["debian-mirror"] };
  return {
    flavour: oneOf("--flavour", values.flavour, FLAVOURS),
    layout: oneOf("--layout", values.layout, LAYOUTS),
    outDir: resolve(values.out ?? join(root, "dist/image")),
    overlays: overlays.map((dir) => resolve(dir)),
    ...(zerotierBin === undefined ? {} : { zerotierBin: programPath(zerotierBin) }),
    ...(optional.compression === undefined ? {} : { compression: optional.compression }),
    ...(optional.debianMirror === undefined ? {} : { debianMirror: optional.debianMirror }),
    ...(values.bundle === undefined ? {} : { bundleDir: resolve(values.bundle) }),
  };
}

/** Two names of one option; the order counts, whichever name is used. */
const LAID_OVER = ["files", "overlay"];

function programPath(seen: string): string {
  if (seen !== "") return seen === NO_ZEROTIER ? seen : resolve(seen);
  throw new AgentError(
    "E_USAGE",
    `Cannot use --zerotier-bin: an empty text seen, expected a path or ${NO_ZEROTIER}`,
  );
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      tokens: true,
      options: {
        flavour: { type: "string", default: "cloud" },
        layout: { type: "string", default: "erofs" },
        compression: { type: "string" },
        out: { type: "string" },
        files: { type: "string", multiple: true },
        overlay: { type: "string", multiple: true },
        "zerotier-bin": { type: "string" },
        "debian-mirror": { type: "string" },
        bundle: { type: "string" },
      },
    });
  } catch (error) {
    throw new AgentError("E_USAGE", `Cannot read options: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function oneOf<const T extends string>(option: string, seen: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === seen);
  if (found !== undefined) return found;
  throw new AgentError(
    "E_USAGE",
    `Cannot use ${option}: ${seen} seen, expected ${allowed.join(" or ")}`,
  );
}
