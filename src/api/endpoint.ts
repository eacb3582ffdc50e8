import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import type { Clock } from "../base/clock.ts";
import { AgentError } from "../base/errors.ts";
import type { JobIntake } from "../job/types.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Logger } from "../log/logger.ts";
import { failure } from "../resp/encode.ts";
import { AccessRules } from "./access-rules.ts";
import { Authenticator } from "./authenticator.ts";
import { buildCommandTable } from "./build-command-table.ts";
import type { CommandTable } from "./command-table.ts";
import { Connection } from "./connection.ts";
import { Counters } from "./counters.ts";
import { Dispatcher } from "./dispatcher.ts";
import { DEFAULT_ENDPOINT_LIMITS, type EndpointLimits, LOCAL_RESERVE } from "./endpoint-limits.ts";
import { jobCommand } from "./job-command.ts";
import { connectJobQueue } from "./job-queue.ts";
import { closeServer, listenOnPath, listenOnPort } from "./listen.ts";
import type { PushHub } from "./push-hub.ts";
import type { InfoSection } from "./redis/server-commands.ts";
import type { CommandRegistry } from "./registry.ts";
import type { NodeCommand } from "./services.ts";
import { type Peer, Session } from "./session.ts";
import { TlsEntry, type TlsOptions } from "./tls-entry.ts";
import { type KnownUser, NODE_USER } from "./users.ts";
import { type UsersOptions, UsersSource } from "./users-source.ts";

export interface EndpointOptions {
  readonly keyspace: Keyspace;
  readonly intake: JobIntake;
  readonly registry: CommandRegistry;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Only its digest is kept, the caller wipes it. Null: only the unix socket can be opened. */
  readonly password: Uint8Array | null;
  /** Release of node0, shown in HELLO and INFO. */
  readonly version: string;
  /** What clients can subscribe to; without it nothing ever happens. */
  readonly push?: PushHub;
  /** Sections of INFO that only a node has. */
  readonly nodeSections?: () => Readonly<Record<string, InfoSection>>;
  readonly limits?: Partial<EndpointLimits>;
  /** Null or absent: plain connections alone. */
  readonly tls?: TlsOptions | null;
  /** Null or absent: nobody beside who has the password. */
  readonly users?: UsersOptions | null;
}

/** The Redis endpoint of the node: listeners, connections, data commands and jobs. */
export class Endpoint {
  readonly counters = new Counters();
  readonly #options: EndpointOptions;
  readonly #limits: EndpointLimits;
  readonly #authenticator: Authenticator;
  readonly #table: CommandTable;
  readonly #dispatcher: Dispatcher;
  readonly #tls: TlsEntry | null;
  readonly #users: UsersSource | null;
  readonly #rules: AccessRules;
  readonly #servers: Server[] = [];
  readonly #networkServers: Server[] = [];
  readonly #connections = new Set<Connection>();
  /** Those that have not authenticated, in the order in which they came; and some that have. */
  readonly #guests = new Set<Connection>();
  #lastSessionId = 0;
  #port = 0;
  #stopIdleCheck: (() => void) | null = null;

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_ENDPOINT_LIMITS, ...options.limits };
    const { clock, keyspace, logger, registry, tls, users } = options;
    this.#authenticator = new Authenticator(options.password, clock, {
      failures: this.#limits.lockoutFailures,
      timeMs: this.#limits.lockoutMs,
    });
    this.#users = users ? new UsersSource(users, (all) => this.#setUsers(all)) : null;
    const { store } = keyspace;
    this.#rules = new AccessRules({ registry, store, clock, counters: this.counters });
    this.#tls = tls ? new TlsEntry({ ...tls, logger, counters: this.counters }) : null;
    this.#table = buildCommandTable({
      ...options,
      authenticator: this.#authenticator,
      rules: this.#rules,
      counters: this.counters,
      limits: this.#limits,
      sessions: () => this.#sessions(),
      port: () => this.#port,
      tls: this.#tls,
    });
    this.#dispatcher = new Dispatcher({
      table: this.#table,
      store,
      rules: this.#rules,
      counters: this.counters,
      logger,
    });
    connectJobQueue(keyspace, options.intake);
  }

  /** The certificate TLS clients get to see; undefined before the first of them. */
  get certificate(): TlsEntry["certificate"] {
    return this.#tls?.certificate;
  }

  /**
   * Adds a command whose job clients can run, at any time.
   *
   * @throws AgentError `E_COMMAND_TWICE` when the name is taken, by a data command too, in any case.
   */
  addCommand(command: NodeCommand): void {
    if (this.#table.find(command.name) !== undefined) {
      throw new AgentError("E_COMMAND_TWICE", `Cannot register ${command.name}: it is known`);
    }
    this.#table.add([jobCommand(command, this.#options.intake, this.#rules)]);
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Whether a network address may be opened. */
  get hasPassword(): boolean {
    return this.#authenticator.hasPassword;
  }

  /** The same, once the users of a file that must be there have been read. */
  async mayListen(): Promise<boolean> {
    const users = this.#users;
    if (users?.isNeeded === true && !users.isLoaded) this.#warn(await users.reload());
    return this.hasPassword;
  }

  /**
   * Changes the password of all later authentications; sessions that are authenticated stay so.
   *
   * @param password For the caller to wipe. Null: nobody gets in over the network any more, and no
   *   address can be opened.
   * @returns Whether it is another one than before.
   */
  setPassword(password: Uint8Array | null): boolean {
    return this.#authenticator.setPassword(password);
  }

  /**
   * Takes what has changed in the files of users and certificate. Connections of users that are not there any
   * more, or have another role or password, end; the certificate is for connections that come.
   *
   * @returns What could not be used, one sentence each. Never rejects; takes 10 s at most.
   */
  async reload(): Promise<readonly string[]> {
    const sources = [this.#users, this.#tls].map((source) => source?.reload() ?? []);
    const problems = (await Promise.all(sources)).flat();
    this.#warn(problems);
    return problems;
  }

  /** Opens a socket file only root can use; no password is asked there. */
  async listenUnix(path: string): Promise<void> {
    const server = this.#createServer((socket) => {
      this.#admit(socket, { address: "unix", remote: `${path}:0`, local: path, isLocal: true });
    });
    await listenOnPath(server, path);
    this.#servers.push(server);
  }

  /**
   * Opens a network port.
   *
   * @param port 0 takes a free one.
   * @returns The port.
   * @throws AgentError `E_PASSWORD_REQUIRED` without a password, `E_LISTEN` when it cannot be opened.
   */
  async listenTcp(host: string, port: number): Promise<number> {
    if (!(await this.mayListen())) {
      throw new AgentError(
        "E_PASSWORD_REQUIRED",
        `Cannot listen on ${host}:${port}: Password required on any network address`,
      );
    }
    const server = this.#createServer((socket) => {
      const address = socket.remoteAddress ?? "";
      const remote = `${address}:${socket.remotePort ?? 0}`;
      const local = `${socket.localAddress ?? ""}:${socket.localPort ?? 0}`;
      this.#admit(socket, { address, remote, local, isLocal: false });
    });
    this.#port = await listenOnPort(server, host, port);
    this.#networkServers.push(server);
    return this.#port;
  }

  /** Takes no new connections from the network; those that are open stay, and so does the socket file. */
  closeNetwork(): void {
    for (const server of this.#networkServers.splice(0)) void closeServer(server);
  }

  /** Resolves when every reply made so far has left, or its connection is gone. */
  async drain(): Promise<void> {
    await Promise.all([...this.#connections].map((connection) => connection.drained()));
  }

  /** Closes the listeners and then every connection, unsent replies first. */
  async stop(): Promise<void> {
    const servers = [...this.#servers, ...this.#networkServers];
    const closed = servers.map((server) => closeServer(server));
    this.#stopIdleCheck?.();
    for (const connection of this.#connections) connection.close();
    const cancel = this.#options.clock.after(STOP_GRACE_MS, () => {
      for (const connection of this.#connections) connection.destroy();
    });
    await Promise.all(closed);
    cancel();
    this.#options.keyspace.store.stop();
  }

  #createServer(onSocket: (socket: Socket) => void): Server {
    return createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 },
      onSocket,
    );
  }

  #admit(socket: Socket, peer: Peer): void {
    const { clock, logger } = this.#options;
    const limit = this.#limits.maxClients + (peer.isLocal ? LOCAL_RESERVE : 0);
    if (this.#connections.size >= limit && !this.#makeRoom()) {
      this.counters.rejectedConnections += 1;
      socket.on("error", () => {});
      socket.end(failure("ERR max number of clients reached"), () => socket.destroy());
      return;
    }
    this.counters.connections += 1;
    this.#lastSessionId += 1;
    const session = new Session(this.#lastSessionId, peer, clock.monotonicMs());
    logger.debug("client connected", { client: session.id, address: peer.remote });
    const connection = new Connection({
      socket,
      session,
      dispatcher: this.#dispatcher,
      clock,
      counters: this.counters,
      logger,
      limits: this.#limits,
      tls: peer.isLocal ? null : this.#tls,
      onClose: () => {
        this.#connections.delete(connection);
        this.#guests.delete(connection);
        logger.debug("client gone", { client: session.id });
      },
    });
    this.#connections.add(connection);
    if (!session.isMember) this.#guests.add(connection);
    this.#checkIdleLater();
  }

  /**
   * Whoever can reach the port could fill it with connections that never log in: the oldest of them makes
   * room when it had time enough for it.
   */
  #makeRoom(): boolean {
    const limitMs = this.#options.clock.monotonicMs() - GUEST_GRACE_MS;
    for (const guest of this.#guests) {
      if (!guest.session.isMember) {
        if (guest.session.connectedMs > limitMs) return false;
        this.#guests.delete(guest);
        this.counters.guestTimeouts += 1;
        guest.destroy();
        return true;
      }
      this.#guests.delete(guest);
    }
    return false;
  }

  /** One timer for all, and none while there is nobody: each is closed at most a tenth too late. */
  #checkIdleLater(): void {
    const { idleTimeoutMs } = this.#limits;
    if (idleTimeoutMs === 0 || this.#stopIdleCheck !== null || this.#connections.size === 0) return;
    const { clock } = this.#options;
    this.#stopIdleCheck = clock.after(Math.ceil(idleTimeoutMs / 10), () => {
      this.#stopIdleCheck = null;
      const limitMs = clock.monotonicMs() - idleTimeoutMs;
      for (const connection of this.#connections) {
        if (!connection.isIdleSince(limitMs)) continue;
        this.counters.idleClosed += 1;
        connection.close();
      }
      this.#checkIdleLater();
    });
  }

  #setUsers(users: readonly KnownUser[]): void {
    this.#authenticator.setUsers(users);
    this.#options.logger.info("users of the endpoint read", { count: users.length });
    const same = new Set(users.filter(({ isOther }) => !isOther).map(({ name }) => name));
    for (const connection of this.#connections) {
      const { user } = connection.session;
      if (user !== null && user !== NODE_USER && !same.has(user.name)) connection.close();
    }
  }

  #warn(problems: readonly string[]): void {
    for (const problem of problems) this.#options.logger.warn("file not used", { problem });
  }

  *#sessions(): IterableIterator<Session> {
    for (const connection of this.#connections) yield connection.session;
  }
}

const STOP_GRACE_MS = 500;
/** Guests younger than this are on their way in. */
const GUEST_GRACE_MS = 3000;
