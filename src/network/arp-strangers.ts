import type { ArpSocket } from "../sys/arp.ts";
import { type ArpPacket, parseArp } from "./arp-packet.ts";

/** A flood must not hold up the agent; what is left waits for the next look. */
const MOST_PACKETS = 64;

/**
 * Takes the waiting packets off a socket and leaves out what is malformed or sent by this machine.
 *
 * @param ownMacs Asked only when there is anything to compare with it.
 */
export function receiveStrangers(
  socket: ArpSocket,
  ownMacs: () => readonly string[],
): readonly ArpPacket[] {
  const packets: ArpPacket[] = [];
  for (let count = 0; count < MOST_PACKETS; count += 1) {
    const bytes = socket.receive();
    if (bytes === undefined) break;
    const packet = parseArp(bytes);
    if (packet !== undefined) packets.push(packet);
  }
  if (packets.length === 0) return packets;
  const own = new Set([socket.mac(), ...ownMacs()]);
  return packets.filter(({ senderMac }) => !own.has(senderMac));
}
