import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { waitPong } from "../../../scripts/machine/redis-probe.ts";

let server: Server;
const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** An endpoint that treats its n-th connection, from 1, as told. */
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

test("connections that are never answered do not hold up later ones", async () => {
  const port = await listen((socket, count) => {
    if (count >= 3) socket.once("data", () => socket.write("+OK\r\n+PONG\r\n"));
  });
  await expect(waitPong({ port, password: "p", timeoutMs: 5000 })).resolves.toBeUndefined();
});

test("sends the password and a PING", async () => {
  let text = "";
  const port = await listen((socket) => {
    socket.on("data", (chunk) => {
      text = chunk.toString();
      socket.write("+OK\r\n+PONG\r\n");
    });
  });
  await waitPong({ port, password: "pä", timeoutMs: 5000 });
  expect(text).toBe("*2\r\n$4\r\nAUTH\r\n$3\r\npä\r\n*1\r\n$4\r\nPING\r\n");
});

test("a refused password is told apart from silence", async () => {
  const port = await listen((socket) => socket.end("-WRONGPASS no\r\n"));
  await expect(waitPong({ port, password: "p", timeoutMs: 5000 })).rejects.toMatchObject({
    code: "E_MACHINE_PASSWORD",
    message: "Cannot log in to the machine: -WRONGPASS no",
  });
});

test("gives up when the time is over", async () => {
  const port = await listen(() => undefined);
  await expect(waitPong({ port, password: "p", timeoutMs: 300 })).rejects.toMatchObject({
    code: "E_MACHINE_SILENT",
  });
});

test("gives up when told to", async () => {
  const port = await listen(() => undefined);
  const signal = AbortSignal.abort(new Error("ended"));
  await expect(waitPong({ port, password: "p", timeoutMs: 300, signal })).rejects.toThrow("ended");
});
