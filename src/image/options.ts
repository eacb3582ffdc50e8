import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { AgentError } from "../base/errors.ts";

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
  const { values } = parse(argv);
  const optional = { compression: values.compression, debianMirror: values["debian-mirror"] };
  return {
    flavour: oneOf("--flavour", values.flavour, FLAVOURS),
    layout: oneOf("--layout", values.layout, LAYOUTS),
    outDir: resolve(values.out ?? join(root, "dist/image")),
    overlays: (values.overlay ?? []).map((dir) => resolve(dir)),
    ...(optional.compression === undefined ? {} : { compression: optional.compression }),
    ...(optional.debianMirror === undefined ? {} : { debianMirror: optional.debianMirror }),
    ...(values.bundle === undefined ? {} : { bundleDir: resolve(values.bundle) }),
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        flavour: { type: "string", default: "cloud" },
        layout: { type: "string", default: "erofs" },
        compression: { type: "string" },
        out: { type: "string" },
        overlay: { type: "string", multiple: true },
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
