import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { linuxServiceHost } from "../../../src/service/linux-host.ts";
import { systemClock } from "../../../src/sys/clock.ts";
import { linuxFiles } from "../../../src/sys/files-linux.ts";
import { readMounts } from "../../../src/sys/mounts.ts";
import { PRIVATE_FILES } from "../../../src/vault/controller-api.ts";
import { Gocryptfs } from "../../../src/vault/gocryptfs.ts";
import { MANIFEST_PATH } from "../../../src/vault/private-manifest.ts";
import { writeTree } from "../../../src/vault/ustar-tree.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

/** Texts by path below `/mnt/etc`. */
export type PrivateTexts = Readonly<Record<string, string>>;

export const SAMPLE: PrivateTexts = {
  [PRIVATE_FILES.clientCertificate]: "certificate\n",
  [PRIVATE_FILES.clientKey]: "key\n",
  [PRIVATE_FILES.redisPassword]: "a password for tests\nsecond line\n",
  [PRIVATE_FILES.authorizedKeys]: "ssh-ed25519 AAAA\n",
  "deep/er/file": "x".repeat(10_000),
};

/** A place for one machine: ciphertext, mount point and state, all below one directory. */
export class VaultHome {
  readonly root = mkdtempSync(join(tmpdir(), "node0-vault-"));
  readonly log = new QuietLog();
  /** Passphrase: 32 random bytes in base64. */
  readonly key = randomBytes(32).toString("base64");
  readonly directories = {
    baked: join(this.root, "baked"),
    fetched: join(this.root, "run/private"),
    mountpoint: join(this.root, "mnt"),
  };
  readonly services = join(this.root, "services");

  /** What an agent has of the mount; another one is the next agent. */
  gocryptfs(): Gocryptfs {
    return new Gocryptfs({
      files: linuxFiles,
      clock: systemClock,
      log: this.log,
      host: linuxServiceHost(linuxFiles, systemClock),
      mountpoint: this.directories.mountpoint,
      cgroups: null,
      directory: this.services,
    });
  }

  /** Encrypts texts with their manifest. @returns SHA-256 of the archive. */
  encrypt(texts: PrivateTexts, directory = this.directories.baked): string {
    const plain = join(this.root, "plain");
    for (const path of [directory, plain]) mkdirSync(path, { recursive: true });
    // Without pipes for its output: the daemon would hold them open for as long as it runs.
    const options = {
      input: `${this.key}\n`,
      stdio: ["pipe", "ignore", "ignore"] as ("pipe" | "ignore")[],
      timeout: 20_000,
    };
    execFileSync("gocryptfs", ["-q", "-init", "-scryptn", "10", "--", directory], options);
    execFileSync("gocryptfs", ["-q", "-nosyslog", "--", directory, plain], options);
    try {
      const lines = Object.entries(texts).map(([path, text]) => {
        mkdirSync(dirname(join(plain, path)), { recursive: true });
        writeFileSync(join(plain, path), text);
        return `${createHash("sha256").update(text).digest("hex")}  ${path}\n`;
      });
      writeFileSync(join(plain, MANIFEST_PATH), lines.join(""));
    } finally {
      execFileSync("fusermount", ["-u", plain]);
    }
    return createHash("sha256").update(this.archive(directory)).digest("hex");
  }

  archive(directory = this.directories.baked): Buffer {
    return writeTree(directory);
  }

  /** Files of the ciphertext, relative. */
  ciphertextFiles(): string[] {
    return readdirSync(this.directories.baked, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  }

  copyTo(directory: string): void {
    cpSync(this.directories.baked, directory, { recursive: true });
  }

  isMounted(): boolean {
    return readMounts(linuxFiles).some(({ mountpoint }) => mountpoint.startsWith(this.root));
  }

  async remove(): Promise<void> {
    await this.gocryptfs().unmount();
    rmSync(this.root, { recursive: true, force: true });
  }
}
