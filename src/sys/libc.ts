/**
 * The calls of the C library that Node.js does not offer, each as a typed function.
 * `char **` parameters take a null-terminated array; `buffer` parameters are written in place.
 */
export interface Libc {
  /** Writes two descriptors; 0, or -1 with `errno`. */
  pipe2(descriptors: Int32Array, flags: number): number;
  close(descriptor: number): number;
  /** Writes the raw wait status; the pid, 0 when still running (WNOHANG), or -1 with `errno`. */
  waitpid(pid: number, status: Int32Array, options: number): number;
  errno(): number;
  spawnActionsInit(actions: Uint8Array): number;
  spawnActionsDestroy(actions: Uint8Array): number;
  spawnActionsDup2(actions: Uint8Array, from: number, to: number): number;
  spawnActionsOpen(
    actions: Uint8Array,
    descriptor: number,
    path: string,
    flags: number,
    mode: number,
  ): number;
  spawnActionsChdir(actions: Uint8Array, path: string): number;
  spawnActionsCloseFrom(actions: Uint8Array, first: number): number;
  spawnAttrInit(attributes: Uint8Array): number;
  spawnAttrSetFlags(attributes: Uint8Array, flags: number): number;
  spawnAttrSetProcessGroup(attributes: Uint8Array, group: number): number;
  spawnAttrSetSigDefault(attributes: Uint8Array, set: Uint8Array): number;
  spawnAttrSetSigMask(attributes: Uint8Array, set: Uint8Array): number;
  /** Undefined before glibc 2.39. @param directory Descriptor of the directory of a cgroup. */
  readonly spawnAttrSetCgroup: ((attributes: Uint8Array, directory: number) => number) | undefined;
  /** Runs on a pool thread, so the event loop goes on while the child has not yet called exec. */
  posixSpawn(call: PosixSpawnCall, done: (errno: number) => void): void;
}

export interface PosixSpawnCall {
  /** Receives the pid. Must not be touched before `done`, and neither may the next two. */
  readonly pid: Int32Array;
  readonly actions: Uint8Array;
  readonly attributes: Uint8Array;
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
}

/** Larger than posix_spawn_file_actions_t and posix_spawnattr_t of glibc (80 and 336 bytes). */
export const ACTIONS_BYTES = 128;
export const ATTRIBUTES_BYTES = 512;
const SIGSET_BYTES = 128;

/** Attributes of a child that starts with no signal blocked or ignored. @param flags Beside those two. */
export function cleanSpawnAttributes(libc: Libc, flags: number): Uint8Array {
  const attributes = new Uint8Array(ATTRIBUTES_BYTES);
  libc.spawnAttrInit(attributes);
  // Node.js ignores SIGPIPE, and an ignored signal stays ignored across exec.
  libc.spawnAttrSetSigDefault(attributes, new Uint8Array(SIGSET_BYTES).fill(0xff));
  libc.spawnAttrSetSigMask(attributes, new Uint8Array(SIGSET_BYTES));
  libc.spawnAttrSetFlags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | flags);
  return attributes;
}

/** Source: <spawn.h> of glibc. */
export const POSIX_SPAWN_SETPGROUP = 0x02;
export const POSIX_SPAWN_SETSID = 0x80;
export const POSIX_SPAWN_SETCGROUP = 0x100;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;

let loaded: Promise<Libc> | undefined;

/**
 * Loads koffi at the first call: it costs about 10 ms and 9 MiB, which an agent that never runs a
 * process does not pay.
 */
export function loadLibc(): Promise<Libc> {
  loaded ??= openLibc();
  return loaded;
}

async function openLibc(): Promise<Libc> {
  const { default: koffi } = await import("koffi");
  const library = koffi.load("libc.so.6");
  const spawn = library.func(
    "int posix_spawn(void *pid, const char *path, void *actions, void *attributes, const char **argv, const char **env)",
  );
  return {
    pipe2: library.func("int pipe2(void *descriptors, int flags)"),
    close: library.func("int close(int descriptor)"),
    waitpid: library.func("int waitpid(int pid, void *status, int options)"),
    errno: () => koffi.errno(),
    spawnActionsInit: library.func("int posix_spawn_file_actions_init(void *)"),
    spawnActionsDestroy: library.func("int posix_spawn_file_actions_destroy(void *)"),
    spawnActionsDup2: library.func("int posix_spawn_file_actions_adddup2(void *, int, int)"),
    spawnActionsOpen: library.func(
      "int posix_spawn_file_actions_addopen(void *, int, const char *, int, unsigned int)",
    ),
    spawnActionsChdir: library.func(
      "int posix_spawn_file_actions_addchdir_np(void *, const char *)",
    ),
    spawnActionsCloseFrom: library.func(
      "int posix_spawn_file_actions_addclosefrom_np(void *, int)",
    ),
    spawnAttrInit: library.func("int posix_spawnattr_init(void *)"),
    spawnAttrSetFlags: library.func("int posix_spawnattr_setflags(void *, short)"),
    spawnAttrSetProcessGroup: library.func("int posix_spawnattr_setpgroup(void *, int)"),
    spawnAttrSetSigDefault: library.func("int posix_spawnattr_setsigdefault(void *, void *)"),
    spawnAttrSetSigMask: library.func("int posix_spawnattr_setsigmask(void *, void *)"),
    spawnAttrSetCgroup: optional(() =>
      library.func("int posix_spawnattr_setcgroup_np(void *, int)"),
    ),
    posixSpawn: (call, done) => {
      spawn.async(
        call.pid,
        call.path,
        call.actions,
        call.attributes,
        [...call.argv, null],
        [...call.env, null],
        (error: unknown, errno: number) => {
          if (error !== null && error !== undefined) throw error;
          done(errno);
        },
      );
    },
  };
}

function optional<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch {
    // This C library does not have the function.
    return undefined;
  }
}
