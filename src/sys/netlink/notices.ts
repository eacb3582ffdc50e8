import { Socket } from "node:net";
import { errorText } from "../../base/errors.ts";
import type { NoticeHandlers, NoticeSource } from "../network-events.ts";
import { linkBody } from "./build-changes.ts";
import { NoticeReader } from "./notice-reader.ts";
import { parseLinkName } from "./parse-links.ts";
import {
  RTM_GETLINK,
  RTMGRP_IPV4_IFADDR,
  RTMGRP_IPV4_ROUTE,
  RTMGRP_IPV6_IFADDR,
  RTMGRP_IPV6_ROUTE,
  RTMGRP_LINK,
} from "./rtnetlink.ts";
import { NetlinkSession } from "./session.ts";
import {
  libc,
  openDescriptor,
  openNetlinkSocket,
  setReceiveBuffer,
  systemFailure,
} from "./socket.ts";

/**
 * Listens to changes of links, addresses and routes. Everything that happens after it returned is told.
 * Loads koffi. Does not keep the process alive.
 *
 * @throws AgentError `E_NETLINK`.
 */
export function openNotices(handlers: NoticeHandlers): NoticeSource {
  const descriptor = openDescriptor({ groups: GROUPS, isNonBlocking: true });
  setReceiveBuffer(descriptor, RECEIVE_BUFFER_BYTES);
  // The socket listens already: a link that comes now is in the list, in a notice, or in both.
  const socket = adopt(descriptor, new NoticeReader(readNames()), handlers);
  let reason = "closed";
  let isClosed = false;
  socket.on("error", (error) => {
    reason = errorText(error);
  });
  socket.on("close", () => {
    if (!isClosed) handlers.ended(reason);
  });
  socket.unref();
  socket.resume();
  return {
    close: () => {
      isClosed = true;
      socket.destroy();
    },
  };
}

const GROUPS =
  RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE;
/** About 250 notices: a link may flap 100 times while the event loop is busy for a second. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;
/** Longer than any notice; one read takes one. */
const NOTICE_BYTES = 65_536;
const O_CLOEXEC = 0o2000000;

/**
 * Makes the event loop read a netlink socket: no thread, no helper process, nothing to do while
 * nothing happens. Node.js accepts only descriptors it knows, and netlink is not among them; but
 * what it does with a pipe (wait for readiness, then `read`) is right for both. So a pipe is given to
 * it, and the socket then takes the place of the pipe under the same number. The event loop looks at
 * the number only once this turn is over (libuv, `uv__io_start`), when it is the socket.
 */
function adopt(descriptor: number, reader: NoticeReader, handlers: NoticeHandlers): Socket {
  const ends = new Int32Array(2);
  if (libc().pipe2(ends, O_CLOEXEC) !== 0) {
    const error = systemFailure("open a pipe");
    libc().close(descriptor);
    throw error;
  }
  const [adopted = -1, other = -1] = ends;
  const socket: Socket = new Socket({
    fd: adopted,
    readable: true,
    writable: false,
    onread: {
      buffer: new Uint8Array(NOTICE_BYTES),
      callback: (length: number, bytes: Uint8Array) => {
        try {
          handlers.events(reader.read(Buffer.from(bytes.buffer, bytes.byteOffset, length)));
        } catch (error) {
          socket.destroy(error as Error);
        }
        return true;
      },
    },
  });
  const isReplaced = libc().dup3(descriptor, adopted, O_CLOEXEC) === adopted;
  const error = isReplaced ? undefined : systemFailure("replace a pipe");
  libc().close(descriptor);
  libc().close(other);
  if (error === undefined) return socket;
  socket.on("error", () => {});
  socket.destroy();
  throw error;
}

function readNames(): Map<number, string> {
  const session = new NetlinkSession(openNetlinkSocket);
  try {
    const links = session.dump(RTM_GETLINK, linkBody({})).map(parseLinkName);
    return new Map(links.map(({ index, name }) => [index, name]));
  } finally {
    session.close();
  }
}
