import { findSocketOwners } from "../../../sys/proc/socket-owners.ts";
import { type ListeningSocket, readListeningSockets } from "../../../sys/proc/sockets.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "info.port",
  summary: "Lists the sockets that others can reach, with the process that holds each",
  scope: "both",
  access: "read",
  result:
    "array of {network: tcp, tcp6, udp, udp6 or unix, port (absent for unix), unix: path (absent " +
    "for the others), ip (absent for unix), pid (0 if no owner was found)}, in that order of networks",
  run: async () => {
    const sockets = await readListeningSockets();
    const owners = await findSocketOwners(sockets.map(({ inode }) => inode));
    return sockets.map((socket) => toRow(socket, owners.get(socket.inode) ?? 0));
  },
});

function toRow({ network, port, path, ip }: ListeningSocket, pid: number) {
  return {
    network,
    ...(port === 0 ? {} : { port }),
    ...(path === undefined ? {} : { unix: path }),
    ...(ip === undefined ? {} : { ip }),
    pid,
  };
}
