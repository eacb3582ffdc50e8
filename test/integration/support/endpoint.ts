import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Endpoint, type EndpointOptions } from "../../../src/api/endpoint.ts";
import type { EndpointLimits } from "../../../src/api/endpoint-limits.ts";
import { KeyspaceJobSink } from "../../../src/api/job-sink.ts";
import { loadCommands } from "../../../src/api/load-commands.ts";
import { CommandRegistry } from "../../../src/api/registry.ts";
import { Keyspace } from "../../../src/keyspace/keyspace.ts";
import { systemClock } from "../../../src/sys/clock.ts";
import { FakeEngine } from "../../fakes/fake-engine.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

export const PASSWORD = "correct horse";

/** An endpoint on a free loopback port and on a unix socket, with an engine that is not one. */
export class EndpointLab {
  readonly port: number;
  readonly path: string;
  readonly endpoint: Endpoint;
  readonly keyspace: Keyspace;
  readonly engine: FakeEngine;
  readonly log: QuietLog;
  /** State directory, and place of the files of a private configuration. */
  readonly directory: string;

  private constructor(parts: Omit<EndpointLab, "stop">) {
    this.port = parts.port;
    this.path = parts.path;
    this.endpoint = parts.endpoint;
    this.keyspace = parts.keyspace;
    this.engine = parts.engine;
    this.log = parts.log;
    this.directory = parts.directory;
  }

  /** @param tls Default: plain connections alone, as an endpoint without the option. */
  static async open(
    limits: Partial<EndpointLimits> = {},
    tls?: "on" | "required",
  ): Promise<EndpointLab> {
    const directory = mkdtempSync(join(tmpdir(), "node0-endpoint-"));
    const path = join(directory, "redis.sock");
    const keyspace = new Keyspace({ clock: systemClock });
    const engine = new FakeEngine(new KeyspaceJobSink(keyspace));
    const log = new QuietLog();
    const endpoint = new Endpoint({
      keyspace,
      intake: engine,
      registry: new CommandRegistry(await loadCommands()),
      clock: systemClock,
      logger: log,
      password: Buffer.from(PASSWORD),
      version: "0.1.0",
      limits,
      tls: tls === undefined ? null : tlsOptions(directory, tls),
    });
    const port = await endpoint.listenTcp("127.0.0.1", 0);
    await endpoint.listenUnix(path);
    return new EndpointLab({ port, path, endpoint, keyspace, engine, log, directory });
  }

  async stop(): Promise<void> {
    await this.endpoint.stop();
    rmSync(this.directory, { recursive: true });
  }
}

/** Files of a private configuration are looked for in the same directory. */
function tlsOptions(
  directory: string,
  mode: "on" | "required",
): NonNullable<EndpointOptions["tls"]> {
  const files = { certificate: join(directory, "tls.crt"), key: join(directory, "tls.key") };
  return { mode, configured: null, privateFiles: files, stateDir: directory };
}
