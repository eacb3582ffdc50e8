import { parseIpv4 } from "./arp-address.ts";

/**
 * A socket filter (classic BPF) for Ethernet ARP packets that were sent from an address, or probe for
 * it (sent from 0.0.0.0). All else costs neither a system call nor memory: on a busy network that is
 * nearly everything.
 *
 * Of those, only packets to this host or to all. Outgoing ones are our own. The kernel also hands
 * packets of VLANs it has no interface for to sockets of the interface below, marked as another
 * host's: an address in another VLAN is no conflict.
 *
 * @param address Dotted.
 * @returns Instructions of 8 bytes as `struct sock_filter` of <linux/filter.h>, little-endian.
 */
export function buildArpFilter(address: string): Uint8Array {
  const wanted = new DataView(parseIpv4(address).buffer).getUint32(0);
  const program: readonly Instruction[] = [
    [LOAD_WORD, 0, 0, PACKET_TYPE],
    [JUMP_GREATER, 10, 0, PACKET_MULTICAST],
    [LOAD_WORD, 0, 0, 0],
    [JUMP_EQUAL, 0, 8, HARDWARE_AND_PROTOCOL],
    [LOAD_HALF, 0, 0, LENGTHS_AT],
    [JUMP_EQUAL, 0, 6, LENGTHS],
    [LOAD_WORD, 0, 0, SENDER_ADDRESS_AT],
    [JUMP_EQUAL, 3, 0, wanted],
    [JUMP_EQUAL, 0, 3, 0],
    [LOAD_WORD, 0, 0, TARGET_ADDRESS_AT],
    [JUMP_EQUAL, 0, 1, wanted],
    [RETURN, 0, 0, ARP_BYTES],
    [RETURN, 0, 0, 0],
  ];
  const bytes = new Uint8Array(program.length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  program.forEach(([code, ifTrue, ifFalse, value], index) => {
    const at = index * INSTRUCTION_BYTES;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, ifTrue);
    view.setUint8(at + 3, ifFalse);
    view.setUint32(at + 4, value, true);
  });
  return bytes;
}

/** Code, instructions skipped when true, when false, value. */
type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

export const INSTRUCTION_BYTES = 8;

/** BPF_LD | BPF_W | BPF_ABS and so on. Loads read in network order; beyond the end they drop the packet. */
const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const RETURN = 0x06;

/** SKF_AD_OFF + SKF_AD_PKTTYPE: the kernel's own mark, not a place in the packet. */
const PACKET_TYPE = 0xfffff004;
const PACKET_MULTICAST = 2;

/** Offsets and values of RFC 826 for Ethernet and IPv4. */
const HARDWARE_AND_PROTOCOL = 0x0001_0800;
const LENGTHS_AT = 4;
const LENGTHS = 0x0604;
const SENDER_ADDRESS_AT = 14;
const TARGET_ADDRESS_AT = 24;
const ARP_BYTES = 28;
