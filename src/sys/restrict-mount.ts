import { AgentError } from "../base/errors.ts";

const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOEXEC = 8;
const MS_REMOUNT = 32;
const MS_BIND = 4096;

/**
 * Lets nothing behind a mount point be written, executed, or give rights. Where a file system is mounted
 * without a helper program, these are no options of its own that could be given at once.
 *
 * @throws AgentError `E_MOUNT` when the kernel refuses. Source: mount(2).
 */
export async function restrictMount(mountpoint: string): Promise<void> {
  const { default: koffi } = await import("koffi");
  const mount = koffi
    .load("libc.so.6")
    .func("int mount(const char *, const char *, const char *, unsigned long, const void *)");
  const flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (mount(null, mountpoint, null, flags, null) === 0) return;
  throw new AgentError("E_MOUNT", `Cannot restrict ${mountpoint}: error ${koffi.errno()}`);
}
