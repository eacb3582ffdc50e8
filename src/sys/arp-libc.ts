/** The socket calls of the C library. Buffers are read or written in place; -1 with `errno`. */
export interface SocketLibc {
  socket(domain: number, type: number, protocol: number): number;
  /** `struct sockaddr_ll`. */
  bind(descriptor: number, address: Uint8Array, length: number): number;
  getsockname(descriptor: number, address: Uint8Array, length: Uint32Array): number;
  setOption(
    descriptor: number,
    level: number,
    name: number,
    value: Uint8Array,
    length: number,
  ): number;
  /** SO_ATTACH_FILTER: the kernel copies the instructions. */
  setFilter(descriptor: number, program: { len: number; filter: Uint8Array }): number;
  sendto(
    descriptor: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ): number;
  recv(descriptor: number, bytes: Uint8Array, length: number, flags: number): number;
  ioctl(descriptor: number, request: number, argument: Uint8Array): number;
  close(descriptor: number): number;
  errno(): number;
}

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
/** `struct sock_fprog` on processors of 64 bits. */
const PROGRAM_BYTES = 16;

let loaded: Promise<SocketLibc> | undefined;

/** Loads koffi at the first call: most machines never watch an address. */
export function loadSocketLibc(): Promise<SocketLibc> {
  loaded ??= open();
  return loaded;
}

async function open(): Promise<SocketLibc> {
  const { default: koffi } = await import("koffi");
  const library = koffi.load("libc.so.6");
  const program = koffi.struct({ len: "uint16_t", filter: "void *" });
  const attach = library.func("setsockopt", "int", [
    "int",
    "int",
    "int",
    koffi.pointer(program),
    "uint32_t",
  ]);
  return {
    socket: library.func("int socket(int domain, int type, int protocol)"),
    bind: library.func("int bind(int descriptor, void *address, uint32_t length)"),
    getsockname: library.func("int getsockname(int descriptor, void *address, void *length)"),
    setOption: library.func(
      "int setsockopt(int descriptor, int level, int name, void *value, uint32_t length)",
    ),
    setFilter: (descriptor, value) =>
      attach(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, value, PROGRAM_BYTES),
    sendto: library.func(
      "int64_t sendto(int descriptor, void *bytes, size_t length, int flags, void *address, uint32_t size)",
    ),
    recv: library.func("int64_t recv(int descriptor, void *bytes, size_t length, int flags)"),
    ioctl: library.func("int ioctl(int descriptor, unsigned long request, void *argument)"),
    close: library.func("int close(int descriptor)"),
    errno: () => koffi.errno(),
  };
}
