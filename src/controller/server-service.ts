import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { AgentError, errorCode, errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import { Authority, type ServerCertificate } from "./ca.ts";
import { type Gauge, Metrics } from "./metrics.ts";
import { Router } from "./router.ts";
import { ControllerServer } from "./server.ts";
import { Core, DEFAULT_LIMITS } from "./server-core.ts";
import { Identity } from "./server-identity.ts";
import { Operator } from "./server-operator.ts";
import { openPage } from "./server-page.ts";
import { apiRoutes } from "./server-routes.ts";
import { Store } from "./store.ts";
import { writePrivateFile } from "./store-files.ts";
import type { RateLimits } from "./types.ts";

const HEARTBEAT_WRITE_MS = 100;
/** Rows written in one step; a tenth of what waits where that is more. */
const HEARTBEAT_STEP = 20;
const REPEATS_WINDOW_S = 60;
const CERTIFICATE_CHECK_MS = 3_600_000;
const TICKET_KEYS_MS = 86_400_000;

export interface ControllerOptions {
  readonly directory: string;
  readonly masterKey: Buffer;
  readonly listen: { readonly host: string; readonly port: number };
  /** Host names and addresses the certificate is good for, beside those of this machine. */
  readonly names: readonly string[];
  /** Paths of PEM files in place of our own certificate. */
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
  readonly limits?: RateLimits;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface RunningController {
  /** `https://HOST:PORT` for this machine. */
  readonly url: string;
  readonly port: number;
  readonly core: Core;
  readonly operator: Operator;
  stop(): Promise<void>;
}

/** Puts a controller together, starts it, and writes its URL to the file `url` of the directory. */
export async function startController(options: ControllerOptions): Promise<RunningController> {
  const { directory, clock, log } = options;
  const nowMs = (): number => Math.trunc(clock.wallMs());
  const store = new Store({ directory, masterKey: options.masterKey, nowMs });
  try {
    const authority = await Authority.open({ directory, nowMs });
    const token = readToken(directory);
    const metrics = new Metrics();
    const limits = options.limits ?? DEFAULT_LIMITS;
    const core = new Core({ store, clock, log, metrics, limits });
    const operator = new Operator({ core, authority, token });
    const page = openPage(core, operator);
    const certificate = (): Promise<ServerCertificate> => certificateOf(options, authority);
    let current = await certificate();
    const gauges = (): readonly Gauge[] => gaugesOf(store, server);
    const server = new ControllerServer({
      ...{ core, operator },
      identity: new Identity({ authority, store, nowMs }),
      router: new Router(apiRoutes(core, operator, gauges)),
      tls: { ...current, ca: authority.certificate },
      page: (request, response) => page.handle(request, response),
    });
    const port = await server.listen(options.listen.host, options.listen.port);
    const url = `https://${urlHost(options.listen.host)}:${port}`;
    writePrivateFile(join(directory, "url"), `${url}\n`);
    const serviceLine = (action: string): void => {
      store.audit.append({ action, subject: "", actor: "controller", outcome: "done" });
    };
    serviceLine("start");
    const endCheckpoints = store.startCheckpoints(log);
    const tasks = [
      repeat(HEARTBEAT_WRITE_MS, log, () => {
        const waiting = store.nodes.waitingHeartbeats;
        const most = Math.max(HEARTBEAT_STEP, Math.ceil(waiting / 10));
        if (waiting > 0) store.transaction(() => store.nodes.writeHeartbeats(most));
      }),
      repeat(REPEATS_WINDOW_S * 1000, log, () => core.repeats.flush(REPEATS_WINDOW_S)),
      repeat(CERTIFICATE_CHECK_MS, log, async () => {
        const next = await certificate();
        if (next.certificate === current.certificate) return;
        current = next;
        server.setCertificate({ ...next, ca: authority.certificate });
        log.info("Server certificate replaced");
      }),
      repeat(TICKET_KEYS_MS, log, () => server.renewTicketKeys()),
    ];
    return {
      ...{ url, port, core, operator },
      stop: async () => {
        for (const task of tasks) clearInterval(task);
        core.stopping.abort();
        page.close();
        await server.stop();
        core.repeats.flush(REPEATS_WINDOW_S);
        serviceLine("stop");
        await endCheckpoints();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The operator token: 32 random bytes, made at first start. */
function readToken(directory: string): string {
  const path = join(directory, "operator-token");
  if (!existsSync(path)) writePrivateFile(path, `${randomBytes(32).toString("base64url")}\n`);
  const [token = ""] = readFileSync(path, "utf8").split("\n");
  if (token.trim().length >= 32) return token.trim();
  throw new AgentError("E_TOKEN", `Cannot use ${path}: expected a token of 32 characters or more`);
}

async function certificateOf(
  { tls, names }: ControllerOptions,
  authority: Authority,
): Promise<ServerCertificate> {
  if (tls === undefined) return await authority.server([...new Set([...names, ...localNames()])]);
  return { certificate: readPem(tls.certificate), key: readPem(tls.key) };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new AgentError("E_TLS_FILE", `Cannot read ${path}: ${errorCode(error)}, expected PEM`);
  }
}

/** Link-local addresses are left out: they need a zone, which certificates do not have. */
function localNames(): readonly string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address)
    .filter((address) => !address.toLowerCase().startsWith("fe80"));
  const name = /^[a-z0-9.-]+$/i.test(hostname()) ? [hostname()] : [];
  return ["localhost", ...name, ...addresses];
}

function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return isIPv6(host) ? `[${host}]` : host;
}

function gaugesOf(store: Store, server: ControllerServer): readonly Gauge[] {
  const states = Object.entries(store.nodes.countByState());
  const one = (name: string, help: string, value: number): Gauge => ({
    name,
    help,
    values: [{ labels: "", value }],
  });
  return [
    {
      name: "nodes",
      help: "Known machines by state.",
      values: states.map(([state, value]) => ({ labels: `state="${state}"`, value })),
    },
    one("audit_entries", "Entries of the audit log.", store.audit.length),
    one("connections", "Open connections.", server.connections),
    one("resident_bytes", "Resident memory.", process.memoryUsage.rss()),
  ];
}

function repeat(ms: number, log: Logger, work: () => void | Promise<void>): NodeJS.Timeout {
  return setInterval(async () => {
    try {
      await work();
    } catch (error) {
      log.error("Periodic work failed", { error: errorText(error) });
    }
  }, ms);
}
