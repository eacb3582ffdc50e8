import { getSystemErrorName } from "node:util";
import { AgentError } from "../base/errors.ts";
import type { ArpSocket, LinkCondition } from "./arp.ts";
import { formatMac } from "./arp-address.ts";
import { buildArpFilter, INSTRUCTION_BYTES } from "./arp-filter.ts";
import { loadSocketLibc, type SocketLibc } from "./arp-libc.ts";

/**
 * Opens a packet socket (packet(7)) in the network namespace of this process. Node.js cannot wait for
 * such a descriptor, so whoever has it looks from time to time.
 */
export async function openArpSocket(interfaceName: string, address: string): Promise<ArpSocket> {
  const libc = await loadSocketLibc();
  // Without a protocol it hears nothing until it is bound, and then only what the filter lets pass.
  const descriptor = libc.socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw failure(libc, `Cannot open an ARP socket on ${interfaceName}`);
  const socket = new LinuxArpSocket(libc, descriptor, interfaceName);
  try {
    socket.prepare(address);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SIOCGIFFLAGS = 0x8913;
const SIOCGIFINDEX = 0x8933;
const IFF_UP = 1;
const IFF_RUNNING = 0x40;
const ETH_P_ARP = 0x0806;
const ARPHRD_ETHER = 1;

/** Packets of half a second from a network that does its worst; the kernel drops what is more. */
const RECEIVE_BUFFER_BYTES = 16 * 1024;
/** `struct ifreq` and `struct sockaddr_ll`, and where their members are. */
const REQUEST_BYTES = 40;
const NAME_BYTES = 16;
const ADDRESS_BYTES = 20;
const INDEX_AT = 4;
const HARDWARE_TYPE_AT = 8;
const HARDWARE_LENGTH_AT = 11;
const HARDWARE_ADDRESS_AT = 12;
const MAC_BYTES = 6;
const ARP_BYTES = 28;

class LinuxArpSocket implements ArpSocket {
  readonly #libc: SocketLibc;
  readonly #name: string;
  readonly #packet = new Uint8Array(ARP_BYTES);
  #descriptor: number;
  #index = 0;

  constructor(libc: SocketLibc, descriptor: number, name: string) {
    this.#libc = libc;
    this.#descriptor = descriptor;
    this.#name = name;
  }

  prepare(address: string): void {
    const libc = this.#libc;
    this.#index = this.#ask(SIOCGIFINDEX)?.getInt32(NAME_BYTES, true) ?? 0;
    if (this.#index === 0) throw failure(libc, `Cannot watch ${address} on ${this.#name}`);
    const size = new Uint8Array(Int32Array.of(RECEIVE_BUFFER_BYTES).buffer);
    libc.setOption(this.#descriptor, SOL_SOCKET, SO_RCVBUF, size, size.length);
    const filter = buildArpFilter(address);
    const program = { len: filter.length / INSTRUCTION_BYTES, filter };
    if (libc.setFilter(this.#descriptor, program) !== 0) {
      throw failure(libc, `Cannot filter packets on ${this.#name}`);
    }
    const place = this.#place();
    if (libc.bind(this.#descriptor, place, place.length) !== 0) {
      throw failure(libc, `Cannot watch ${address} on ${this.#name}`);
    }
    this.mac();
  }

  mac(): string {
    const place = new Uint8Array(ADDRESS_BYTES);
    const length = Uint32Array.of(ADDRESS_BYTES);
    if (this.#libc.getsockname(this.#descriptor, place, length) !== 0) {
      throw failure(this.#libc, `Cannot read the hardware address of ${this.#name}`);
    }
    const view = new DataView(place.buffer);
    const type = view.getUint16(HARDWARE_TYPE_AT, true);
    if (type !== ARPHRD_ETHER || view.getUint8(HARDWARE_LENGTH_AT) !== MAC_BYTES) {
      throw new AgentError(
        "E_ARP",
        `Cannot use ARP on ${this.#name}: hardware type ${type}, expected Ethernet`,
      );
    }
    return formatMac(place.subarray(HARDWARE_ADDRESS_AT, HARDWARE_ADDRESS_AT + MAC_BYTES));
  }

  condition(): LinkCondition {
    const index = this.#ask(SIOCGIFINDEX)?.getInt32(NAME_BYTES, true);
    const flags = this.#ask(SIOCGIFFLAGS)?.getUint16(NAME_BYTES, true);
    // Another interface that got the name is not the one this socket is bound to.
    if (flags === undefined || index !== this.#index) return "gone";
    if ((flags & IFF_UP) === 0) return "down";
    return (flags & IFF_RUNNING) === 0 ? "no-carrier" : "ready";
  }

  broadcast(packet: Uint8Array): void {
    const place = this.#place();
    place[HARDWARE_LENGTH_AT] = MAC_BYTES;
    place.fill(0xff, HARDWARE_ADDRESS_AT, HARDWARE_ADDRESS_AT + MAC_BYTES);
    const { length } = packet;
    if (this.#libc.sendto(this.#descriptor, packet, length, 0, place, place.length) < 0) {
      throw failure(this.#libc, `Cannot send ARP on ${this.#name}`);
    }
  }

  /** An error (the link went down) is told once and not kept: `condition` says the same. */
  receive(): Uint8Array | undefined {
    if (this.#descriptor < 0) return undefined;
    const length = this.#libc.recv(this.#descriptor, this.#packet, ARP_BYTES, 0);
    return length < 0 ? undefined : this.#packet.slice(0, length);
  }

  close(): void {
    if (this.#descriptor >= 0) this.#libc.close(this.#descriptor);
    this.#descriptor = -1;
  }

  /** An interface request about this name; undefined when there is none of that name. */
  #ask(request: number): DataView | undefined {
    const bytes = new Uint8Array(REQUEST_BYTES);
    new TextEncoder().encodeInto(this.#name, bytes.subarray(0, NAME_BYTES - 1));
    const answer = this.#libc.ioctl(this.#descriptor, request, bytes);
    return answer < 0 ? undefined : new DataView(bytes.buffer);
  }

  #place(): Uint8Array {
    const bytes = new Uint8Array(ADDRESS_BYTES);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, AF_PACKET, true);
    view.setUint16(2, ETH_P_ARP);
    view.setInt32(INDEX_AT, this.#index, true);
    return bytes;
  }
}

function failure(libc: SocketLibc, what: string): AgentError {
  const errno = getSystemErrorName(-libc.errno());
  return new AgentError("E_ARP", `${what}: ${errno}`, { fields: { errno } });
}
