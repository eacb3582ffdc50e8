import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/errors.ts";
import { type Mirror, parseStanza } from "./mirror.ts";
import { runTool } from "./run-tool.ts";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** One package as an archive offers it. */
export interface AptPackage {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** Place below the archive's base address, for example `pool/main/b/busybox/busybox_1_amd64.deb`. */
  readonly path: string;
}

/**
 * apt with directories of its own: it reads the machine's proxy and login settings, but neither its
 * package lists nor its state, and writes nothing outside `dir`. Needs no root rights.
 */
export class Apt {
  readonly #dir: string;
  readonly #mirror: Mirror;
  readonly #release: string;

  constructor(options: { dir: string; mirror: Mirror; release: string }) {
    this.#dir = options.dir;
    this.#mirror = options.mirror;
    this.#release = options.release;
  }

  /** Fetches the signed package lists of the release. */
  async update(): Promise<void> {
    await stat(KEYRING).catch(() => {
      throw new AgentError(
        "E_IMAGE_KEYRING",
        `Cannot check Debian packages: ${KEYRING} is absent, expected the package debian-archive-keyring`,
      );
    });
    for (const part of ["state/lists/partial", "cache/archives/partial"]) {
      await mkdir(join(this.#dir, part), { recursive: true });
    }
    await writeFile(join(this.#dir, "state/status"), "");
    await writeFile(
      join(this.#dir, "sources.list"),
      formatSourcesList(this.#mirror, this.#release),
    );
    await this.#apt("apt-get", ["update", "--error-on=any"]);
  }

  /** Every version the lists offer of the named packages; a name they do not know is left out. */
  async offers(names: readonly string[]): Promise<AptPackage[]> {
    if (names.length === 0) return [];
    const text = await this.#apt("apt-cache", ["show", "--", ...names]).catch(async () => {
      // One unknown name fails the whole call: ask for each.
      const answers = names.map((name) =>
        this.#apt("apt-cache", ["show", "--", name]).catch(() => ""),
      );
      return (await Promise.all(answers)).join("\n");
    });
    return parsePackages(text);
  }

  /** What installing `names` on an empty system would bring in, sorted by name. */
  async closure(names: readonly string[]): Promise<AptPackage[]> {
    const options = ["--simulate", "--no-install-recommends", "install"];
    const chosen = parseSimulation(await this.#apt("apt-get", [...options, "--", ...names]));
    const offers = await this.offers([...chosen.keys()]);
    return offers
      .filter((offer) => chosen.get(offer.name) === offer.version)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Downloads packages into an empty directory, under names of apt's own. Contents are not checked here. */
  async download(wanted: readonly AptPackage[], dir: string): Promise<void> {
    const names = wanted.map(({ name, version }) => `${name}=${version}`);
    await this.#apt("apt-get", ["download", "--", ...names], dir);
  }

  #apt(program: string, args: readonly string[], cwd?: string): Promise<string> {
    const settings = {
      "Dir::State": join(this.#dir, "state"),
      "Dir::State::status": join(this.#dir, "state/status"),
      "Dir::Cache": join(this.#dir, "cache"),
      "Dir::Etc::sourcelist": join(this.#dir, "sources.list"),
      "Dir::Etc::sourceparts": "/dev/null",
      "Dir::Etc::preferences": "/dev/null",
      "Dir::Etc::preferencesparts": "/dev/null",
      "APT::Architecture": "amd64",
      "APT::Architectures": "amd64",
      "APT::Sandbox::User": "root",
      "Acquire::Languages": "none",
      "Acquire::Retries": "3",
      "Acquire::http::Timeout": "30",
    };
    const options = Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
    return runTool(program, ["-q", ...options, ...args], cwd === undefined ? {} : { cwd });
  }
}

function formatSourcesList(mirror: Mirror, release: string): string {
  const line = (base: string, suite: string) =>
    `deb [arch=amd64 signed-by=${KEYRING}] ${base} ${suite} main\n`;
  return [
    line(mirror.main, release),
    line(mirror.main, `${release}-updates`),
    line(mirror.security, `${release}-security`),
  ].join("");
}

/** Reads `apt-cache show`. */
export function parsePackages(text: string): AptPackage[] {
  return text.split(/\n\n+/).flatMap((stanza) => {
    const fields = parseStanza(stanza);
    const name = fields.get("package");
    const version = fields.get("version");
    const sha256 = fields.get("sha256");
    const path = fields.get("filename");
    if (!name || !version || !sha256 || !path) return [];
    return [{ name, version, sha256, path }];
  });
}

/** Reads the `Inst NAME (VERSION …)` lines of `apt-get --simulate install`: name to version. */
export function parseSimulation(text: string): Map<string, string> {
  const found = text.matchAll(/^Inst (\S+) \((\S+) /gm);
  return new Map([...found].map(([, name = "", version = ""]) => [name, version]));
}
