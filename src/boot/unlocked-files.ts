import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Files } from "../sys/files.ts";
import { PRIVATE_FILES, VAULT } from "../vault/controller-api.ts";
import type { PrivateFiles } from "../vault/private-files.ts";

/**
 * What network and overlay take of the private configuration lies here, in memory: they must not have to
 * wait for a file system that a process serves, and the next agent needs it before it has unlocked anything.
 */
export const UNLOCKED_DIRECTORY = "/run/node0/unlocked";
/** Network configuration that comes on top of that of the image. */
export const UNLOCKED_NET_TOML = `${UNLOCKED_DIRECTORY}/${PRIVATE_FILES.netToml}`;

/** Start-up services and extensions on top of those of the image. */
export const UNLOCKED_STARTUP = `${UNLOCKED_DIRECTORY}/${PRIVATE_FILES.startupDirectory}`;

export interface UnlockedFilesOptions {
  readonly files: Files;
  readonly log: Logger;
  /** Default {@link UNLOCKED_DIRECTORY}. */
  readonly directory?: string;
}

type Source = Pick<PrivateFiles, "readNetToml" | "readOverlayIdentity">;
type StartupSource = Pick<PrivateFiles, "readStartup">;

/** Copies what is read at other times than the rest, and tells whether it is new. */
export class UnlockedFiles {
  readonly #options: UnlockedFilesOptions;
  readonly #directory: string;

  constructor(options: UnlockedFilesOptions) {
    this.#options = options;
    this.#directory = options.directory ?? UNLOCKED_DIRECTORY;
  }

  /** Never rejects. A net.toml with mistakes is not taken, and the one before stays. */
  async takeNetToml(source: Source): Promise<{ isChanged: boolean; problem: string }> {
    const { files } = this.#options;
    const path = `${this.#directory}/${PRIVATE_FILES.netToml}`;
    try {
      const text = await source.readNetToml();
      if (text === files.readText(path)) return { isChanged: false, problem: "" };
      if (text === undefined) {
        files.remove(path);
        return { isChanged: true, problem: "" };
      }
      const { parseNetworkConfig } = await import("../config/network-config-parse.ts");
      const name = `${VAULT.mountpoint}/${PRIVATE_FILES.netToml}`;
      const [mistake] = parseNetworkConfig(text, name).problems;
      if (mistake !== undefined) return this.#refuse(mistake);
      files.ensureDirectory(this.#directory, 0o700);
      files.replaceText(path, text);
      return { isChanged: true, problem: "" };
    } catch (error) {
      return this.#refuse(errorText(error));
    }
  }

  /** Never rejects. @returns What could not be used; empty: nothing. */
  async takeOverlayIdentity(source: Source): Promise<string> {
    const { files } = this.#options;
    const directory = `${this.#directory}/${PRIVATE_FILES.zerotierDirectory}`;
    try {
      const identity = await source.readOverlayIdentity();
      if (identity === undefined) return "";
      files.ensureDirectory(directory, 0o700);
      if (identity.open !== undefined) {
        files.replaceText(`${directory}/identity.public`, identity.open);
      }
      files.replaceText(`${directory}/identity.secret`, identity.secret);
      return "";
    } catch (error) {
      return this.#refuse(errorText(error)).problem;
    }
  }

  /** Never rejects. @returns What could not be used; empty: nothing. */
  async takeStartup(source: StartupSource): Promise<string> {
    const { files } = this.#options;
    const directory = `${this.#directory}/${PRIVATE_FILES.startupDirectory}`;
    try {
      const { texts, problems } = await source.readStartup();
      for (const name of files.list(directory)) {
        if (!texts.has(name)) files.remove(`${directory}/${name}`);
      }
      if (texts.size > 0) files.ensureDirectory(directory, 0o700);
      for (const [name, text] of texts) files.replaceText(`${directory}/${name}`, text);
      return problems.map((problem) => this.#refuse(problem).problem).join("; ");
    } catch (error) {
      return this.#refuse(errorText(error)).problem;
    }
  }

  #refuse(problem: string): { isChanged: false; problem: string } {
    this.#options.log.warn("part of the private configuration not used", { problem });
    return { isChanged: false, problem };
  }
}
