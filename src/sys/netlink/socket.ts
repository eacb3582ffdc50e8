import koffi from "koffi";
import { AgentError } from "../../base/errors.ts";
import { errnoText } from "./acknowledgement.ts";
import type { NetlinkSocket } from "./session.ts";

/**
 * A socket to the routing part of the kernel, in the network namespace of this moment.
 *
 * This module loads koffi (10 ms, 9 MiB), so modules of the agent's start import it only where it is
 * first needed.
 *
 * @throws AgentError `E_NETLINK` with field `errno`.
 */
export function openNetlinkSocket(): NetlinkSocket {
  const descriptor = openDescriptor({ groups: 0, isNonBlocking: false });
  setNumber(descriptor, SOL_NETLINK, NETLINK_EXT_ACK, 1);
  setNumber(descriptor, SOL_NETLINK, NETLINK_CAP_ACK, 1);
  const limit = new BigInt64Array([BigInt(RECEIVE_LIMIT_S), 0n]);
  libc().setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, limit, limit.byteLength);
  return {
    send: (message) => {
      const sent = retried(() => Number(libc().send(descriptor, message, message.length, 0)));
      if (sent !== message.length) throw systemFailure("send to netlink");
    },
    receive: () => receive(descriptor),
    close: () => void libc().close(descriptor),
  };
}

/**
 * Opens and binds a socket; the caller closes it.
 *
 * @param groups Bits of the multicast groups it hears.
 */
export function openDescriptor(options: { groups: number; isNonBlocking: boolean }): number {
  const flags = SOCK_CLOEXEC | (options.isNonBlocking ? SOCK_NONBLOCK : 0);
  const descriptor = libc().socket(AF_NETLINK, SOCK_RAW | flags, NETLINK_ROUTE);
  if (descriptor < 0) throw systemFailure("open netlink");
  // struct sockaddr_nl: family u16, padding u16, port u32 (0: the kernel chooses), groups u32.
  const address = Buffer.alloc(SOCKADDR_BYTES);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(options.groups, 8);
  if (libc().bind(descriptor, address, SOCKADDR_BYTES) === 0) return descriptor;
  const error = systemFailure("bind netlink");
  libc().close(descriptor);
  throw error;
}

/** Bytes of notices the kernel keeps for us, whatever the limit for other programs is. */
export function setReceiveBuffer(descriptor: number, sizeBytes: number): void {
  setNumber(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, sizeBytes);
}

/** The calls of the C library a netlink socket takes. */
export function libc(): SocketCalls {
  loaded ??= openLibc();
  return loaded;
}

let loaded: SocketCalls | undefined;

export function systemFailure(what: string): AgentError {
  const errno = errnoText(koffi.errno());
  return new AgentError("E_NETLINK", `Cannot ${what}: ${errno}`, { fields: { errno } });
}

/** Constants of <sys/socket.h> and <linux/netlink.h>. */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const NETLINK_ROUTE = 0;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const MSG_TRUNC = 0x20;
const EINTR = 4;
const EAGAIN = 11;
const SOCKADDR_BYTES = 12;
/** Far longer than the kernel takes; it only bounds the harm of an answer that never comes. */
const RECEIVE_LIMIT_S = 2;
/** The kernel fills datagrams of a dump up to 32 KiB; one link with many functions can be longer. */
let buffer = Buffer.alloc(65_536);
const MAX_BUFFER_BYTES = 16 * 1024 * 1024;

function receive(descriptor: number): Buffer | undefined {
  const length = retried(() => Number(libc().recv(descriptor, buffer, buffer.length, MSG_TRUNC)));
  if (length < 0) {
    if (koffi.errno() !== EAGAIN) throw systemFailure("receive from netlink");
    throw new AgentError(
      "E_NETLINK",
      `Cannot receive from netlink: no answer after ${RECEIVE_LIMIT_S} s`,
      { fields: { errno: "ETIMEDOUT" } },
    );
  }
  if (length <= buffer.length) return buffer.subarray(0, length);
  buffer = Buffer.alloc(Math.min(MAX_BUFFER_BYTES, 2 * length));
  return undefined;
}

/** A call with a time limit ends with EINTR at any signal, also one whose handler restarts calls. */
function retried(call: () => number): number {
  for (;;) {
    const result = call();
    if (result >= 0 || koffi.errno() !== EINTR) return result;
  }
}

function setNumber(descriptor: number, level: number, option: number, value: number): void {
  libc().setsockopt(descriptor, level, option, new Int32Array([value]), 4);
}

interface SocketCalls {
  socket(family: number, type: number, protocol: number): number;
  bind(descriptor: number, address: Uint8Array, length: number): number;
  setsockopt(
    descriptor: number,
    level: number,
    option: number,
    value: Int32Array | BigInt64Array,
    length: number,
  ): number;
  send(descriptor: number, bytes: Uint8Array, length: number, flags: number): number | bigint;
  recv(descriptor: number, bytes: Uint8Array, length: number, flags: number): number | bigint;
  pipe2(descriptors: Int32Array, flags: number): number;
  dup3(from: number, to: number, flags: number): number;
  close(descriptor: number): number;
}

function openLibc(): SocketCalls {
  const library = koffi.load("libc.so.6");
  return {
    socket: library.func("int socket(int, int, int)"),
    bind: library.func("int bind(int, const void *, unsigned int)"),
    setsockopt: library.func("int setsockopt(int, int, int, const void *, unsigned int)"),
    send: library.func("intptr_t send(int, const void *, size_t, int)"),
    recv: library.func("intptr_t recv(int, void *, size_t, int)"),
    pipe2: library.func("int pipe2(void *, int)"),
    dup3: library.func("int dup3(int, int, int)"),
    close: library.func("int close(int)"),
  };
}
