import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createWebApp } from "../../../src/controller/web/web-app.ts";
import { systemClock } from "../../../src/sys/clock.ts";
import { MemoryController } from "../../fakes/memory-controller.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";
import { makeCa } from "./throwaway-ca.ts";

export interface PageServer extends AsyncDisposable {
  readonly url: string;
  readonly caFile: string;
  readonly controller: MemoryController;
  readonly log: QuietLog;
}

/** Serves the page of a controller that lives in memory, over HTTPS on a port of the loopback. */
export async function openPageServer(): Promise<PageServer> {
  const directory = mkdtempSync(join(tmpdir(), "node0-page-"));
  const ca = makeCa(directory);
  const { certificate, key } = ca.issue(["127.0.0.1", "localhost"]);
  const controller = new MemoryController();
  const log = new QuietLog();
  const app = createWebApp({ controller, clock: systemClock, log });
  const server = createServer(
    { cert: readFileSync(certificate), key: readFileSync(key), minVersion: "TLSv1.3" },
    (request, response) => {
      void app.handle(request, response).then((isOurs) => {
        if (!isOurs) response.writeHead(404).end();
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `https://127.0.0.1:${port}`, caFile: ca.certificate, controller, log },
    [Symbol.asyncDispose]: async () => {
      app.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true });
    },
  };
}
