import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BootFiles, openBootServer } from "./boot-server.ts";
import { startBootServerProcess } from "./boot-server-process.ts";
import { buildFilesInitrd, GUEST_PASSWORD_FILE, joinInitrds, passwordFile } from "./guest-files.ts";
import type { MachineOptions } from "./options.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { buildBootNetwork, type QemuArguments } from "./qemu-arguments.ts";

/** The way a machine gets its kernel, and what serves it. */
export interface BootLoader {
  readonly arguments: QemuArguments["boot"];
  /** A process of its own that serves a detached machine; it ends together with QEMU. */
  readonly helper: ProcessIdentity | null;
  close(): Promise<void>;
}

/** Puts the files of a boot into the machine's directory, and serves them where iPXE is to fetch them. */
export async function prepareBoot(options: MachineOptions, directory: string): Promise<BootLoader> {
  const commandLine = buildCommandLine(options);
  const password = options.password ?? null;
  const files = [...(options.files ?? []), ...(password === null ? [] : [passwordFile(password)])];
  const extra = files.length === 0 ? [] : [buildFilesInitrd(files)];
  if (options.boot === "ipxe") return serveBoot(options, directory, { commandLine, extra });

  const initrd = join(directory, "initrd");
  joinInitrds(initrd, [options.initrd, ...extra]);
  return {
    arguments: { kind: "direct", kernel: options.kernel, initrd, commandLine },
    helper: null,
    close: () => Promise.resolve(),
  };
}

/**
 * Builds the kernel command line; what the caller adds comes last and so wins.
 *
 * The kernel counts ticks of the emulated timer against a loop it times itself, and panics when the
 * host is too busy to deliver them: `no_timer_check` leaves that out. Emulation with several threads
 * now and then misses that the kernel changed its own code and lets it run into a breakpoint (seen
 * with QEMU 7.2 in one boot of thirty): `panic=1` starts the machine again instead of leaving it dead.
 * Source: kernel documentation, "The kernel's command-line parameters".
 */
export function buildCommandLine(options: Pick<MachineOptions, "password" | "append">): string {
  return [
    "console=ttyS0,115200",
    "loglevel=4",
    "no_timer_check",
    "oops=panic",
    "panic=1",
    ...((options.password ?? null) === null ? [] : [`node0.password-file=${GUEST_PASSWORD_FILE}`]),
    options.append ?? "",
  ]
    .join(" ")
    .trim();
}

async function serveBoot(
  options: MachineOptions,
  directory: string,
  { commandLine, extra }: { readonly commandLine: string; readonly extra: readonly Buffer[] },
): Promise<BootLoader> {
  const extraPaths = extra.map((content, index) => {
    const path = join(directory, `extra-${index}`);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  });
  const files: BootFiles = {
    kernel: options.kernel,
    initrds: [options.initrd, ...extraPaths],
    commandLine,
  };
  const server = options.isDetached
    ? await startBootServerProcess(files, directory)
    : { ...(await openBootServer(files)), identity: null };
  const networkFile = join(directory, "network.conf");
  writeFileSync(networkFile, buildBootNetwork(server.bootUrl), { mode: 0o600 });
  return {
    arguments: { kind: "ipxe", networkFile },
    helper: server.identity,
    close: server.close,
  };
}
