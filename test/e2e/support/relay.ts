import { connect, createServer } from "node:net";

/** What a test asks of the program, as JSON in its first argument. */
export interface RelayOptions {
  /** Path of the Unix socket it listens on. */
  readonly socket: string;
  readonly host: string;
  readonly port: number;
}

/**
 * Lets a test reach into another network namespace: a Unix socket here is a TCP connection there.
 * Prints one line when it listens and goes on until it is ended.
 */
function main({ socket, host, port }: RelayOptions): void {
  const server = createServer((near) => {
    const far = connect(port, host);
    near.pipe(far).pipe(near);
    // Whatever ends one side ends the other: the client sees a closed connection.
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  server.listen(socket, () => console.log("listening"));
}

main(JSON.parse(process.argv[2] ?? "{}") as RelayOptions);
