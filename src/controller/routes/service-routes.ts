import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import type { Gauge } from "../metrics.ts";
import { type Route, withoutBody } from "../router.ts";
import type { Core } from "../server-core.ts";
import { RequestError } from "../server-errors.ts";

/** Comments keep the connection known to whatever stands between. */
const KEEP_ALIVE_MS = 15_000;
const MOST_LISTENERS = 64;

/** A listener that reads no more is cut off. */
const MOST_BUFFERED_BYTES = 1024 * 1024;

const DESCRIPTION = join(import.meta.dirname, "../../../etc/controller/openapi.json");

/** What watches the controller: health, metrics, the description of the API, changes as they happen. */
export function serviceRoutes(core: Core, gauges: () => readonly Gauge[]): readonly Route[] {
  let listeners = 0;
  const listen = (response: ServerResponse): void => {
    listeners += 1;
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write(": node0 controller\n\n");
    const send = (text: string): void => {
      if (response.writableLength > MOST_BUFFERED_BYTES) response.destroy();
      else response.write(text);
    };
    const forget = core.onChange((id) => {
      const state = core.store.nodes.stateOf(id) ?? "removed";
      send(`event: node\ndata: ${JSON.stringify({ id, state })}\n\n`);
    });
    const end = (): void => void response.end();
    const { streams } = core;
    streams.addEventListener("abort", end, { once: true });
    const timer = setInterval(() => send(": still here\n\n"), KEEP_ALIVE_MS);
    response.on("close", () => {
      listeners -= 1;
      forget();
      clearInterval(timer);
      streams.removeEventListener("abort", end);
    });
  };
  return [
    withoutBody("GET", "/healthz", "anybody", () => ({ status: 200, json: { status: "ok" } })),
    withoutBody("GET", "/metrics", "operator", () => ({
      status: 200,
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
      content: core.metrics.text(gauges()),
    })),
    withoutBody("GET", "/openapi.json", "operator", () => ({
      status: 200,
      headers: { "content-type": "application/json" },
      content: readFileSync(DESCRIPTION),
    })),
    withoutBody("GET", "/v1/events", "operator", () => {
      if (listeners >= MOST_LISTENERS) {
        throw new RequestError(503, "E_BUSY", "Cannot send events: too many listeners", 10);
      }
      return { take: listen };
    }),
  ];
}
