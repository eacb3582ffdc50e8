import { connect } from "node:net";

/** Opens a connection and closes it again; false when nobody accepted within the time limit. */
export type Probe = (
  target: { readonly host: string; readonly port: number },
  limitMs: number,
) => Promise<boolean>;

export const tcpProbe: Probe = ({ host, port }, limitMs) =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: limitMs });
    const end = (isReached: boolean): void => {
      socket.destroy();
      resolve(isReached);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
