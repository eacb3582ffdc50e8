import { isIPv6 } from "node:net";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import { Authority, type ServerCertificate } from "./ca.ts";
import { type Gauge, Metrics } from "./metrics.ts";
import { Router } from "./router.ts";
import { ControllerServer } from "./server.ts";
import { type CertificateFiles, serverCertificate } from "./server-certificate.ts";
import { Core, DEFAULT_LIMITS } from "./server-core.ts";
import { Identity } from "./server-identity.ts";
import { Operator } from "./server-operator.ts";
import { openPage } from "./server-page.ts";
import { forgetPending } from "./server-pending.ts";
import { apiRoutes } from "./server-routes.ts";
import { TokenFile } from "./server-token.ts";
import { Store } from "./store.ts";
import { writePrivateFile } from "./store-files.ts";
import type { RateLimits } from "./types.ts";

const HEARTBEAT_WRITE_MS = 100;
/** Rows written in one step; a tenth of what waits where that is more. */
const HEARTBEAT_STEP = 20;
const REPEATS_WINDOW_S = 60;
const CERTIFICATE_CHECK_MS = 3_600_000;
const TOKEN_CHECK_MS = 500;
const FORGET_PENDING_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Machines nobody decided over are forgotten after this. */
export const DEFAULT_PENDING_DAYS = 30;

export interface ControllerOptions {
  readonly directory: string;
  readonly masterKey: Buffer;
  readonly listen: { readonly host: string; readonly port: number };
  /** Host names and addresses the certificate is good for, beside those of this machine. */
  readonly names: readonly string[];
  /** In place of our own certificate. */
  readonly tls?: CertificateFiles | undefined;
  /** Default {@link DEFAULT_PENDING_DAYS}. */
  readonly pendingDays?: number | undefined;
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
    const tokenFile = new TokenFile(directory);
    const metrics = new Metrics();
    const limits = options.limits ?? DEFAULT_LIMITS;
    const core = new Core({ store, clock, log, metrics, limits });
    const operator = new Operator({ core, authority, token: tokenFile.read() });
    const page = openPage(core, operator);
    const { tls: files, names, pendingDays = DEFAULT_PENDING_DAYS } = options;
    const certificate = (): Promise<ServerCertificate> =>
      serverCertificate({ authority, names, files });
    let current = await certificate();
    const gauges = (): readonly Gauge[] => gaugesOf(store, server);
    const server = new ControllerServer({
      ...{ core, operator },
      identity: new Identity({ authority, store, nowMs }),
      router: new Router(apiRoutes(core, operator, gauges)),
      tls: { ...current, ca: authority.certificate },
      page: (request, response) => page.handle(request, response),
    });
    const forgetOld = (): Promise<void> => forgetPending(core, pendingDays * DAY_MS);
    await forgetOld();
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
      repeat(DAY_MS, log, () => server.renewTicketKeys()),
      repeat(TOKEN_CHECK_MS, log, async () => {
        if (!tokenFile.isChanged) return;
        const token = tokenFile.read();
        if (operator.checkToken(token)) return;
        await operator.setToken(token);
        page.endSessions();
        core.endStreams();
      }),
      repeat(FORGET_PENDING_MS, log, forgetOld),
    ];
    return {
      ...{ url, port, core, operator },
      stop: async () => {
        for (const task of tasks) clearInterval(task);
        core.endStreams();
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
