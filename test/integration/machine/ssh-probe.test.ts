import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { waitSsh } from "../../../scripts/machine/ssh-probe.ts";

let server: Server;
const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** A server that treats its n-th connection, from 1, as told. */
function listen(onConnection: (socket: Socket, count: number) => void): Promise<number> {
  let count = 0;
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    count += 1;
    onConnection(socket, count);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

test("goes on past connections that are closed, silent or somebody else's", async () => {
  const port = await listen((socket, count) => {
    if (count === 1) socket.end();
    if (count === 2) socket.end("HTTP/1.1 400 Bad Request\r\n");
    // The third stays silent.
    if (count === 4) socket.end("SSH-2.0-Test\r\n");
  });
  await expect(waitSsh(port, { timeoutMs: 20_000 })).resolves.toBeUndefined();
});

test("gives up when the time is over", async () => {
  const port = await listen((socket) => socket.end());
  await expect(waitSsh(port, { timeoutMs: 300 })).rejects.toMatchObject({ code: "E_MACHINE_SSH" });
});

test("gives up when told to", async () => {
  const port = await listen((socket) => socket.end());
  const signal = AbortSignal.abort(new Error("ended"));
  await expect(waitSsh(port, { timeoutMs: 20_000, signal })).rejects.toThrow("ended");
});
