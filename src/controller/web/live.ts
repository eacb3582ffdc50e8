import type { ServerResponse } from "node:http";
import type { Clock } from "../../base/clock.ts";
import { errorText } from "../../base/errors.ts";
import type { Logger } from "../../log/logger.ts";
import type { NodeRecord, NodeState } from "../types.ts";
import type { Html } from "./html.ts";
import { startEvents } from "./http.ts";
import { renderParts } from "./node-page.ts";
import { countStates, isInView, type NodesView, renderCounts, renderRow } from "./nodes-page.ts";
import type { Session } from "./sessions.ts";
import type { WebController } from "./web-controller.ts";

/** Changes are collected this long: many at once cost one event. */
const COLLECT_MS = 250;

/** Comments keep the connection known to whatever stands between. */
const KEEP_ALIVE_MS = 20_000;
const MOST_VIEWERS = 64;

/** A browser that reads no more is cut off. */
const BUFFER_LIMIT_BYTES = 2 * 1024 * 1024;

/** What a browser is looking at: the list with the rows it holds, or one machine. */
export type Watched =
  | { readonly list: NodesView; readonly ids: Set<string> }
  | { readonly node: string };

/** One piece of a page: replaces the element with this id; without one, goes first into `into`. */
interface Fragment {
  readonly id: string;
  readonly html: string;
  readonly into?: string;
}

interface Viewer {
  readonly response: ServerResponse;
  readonly session: Session;
  readonly watched: Watched;
}

/**
 * Sends pieces of pages that changed, rendered as the pages are. Nothing is read from the store while
 * nobody looks.
 */
export class Live {
  readonly #controller: WebController;
  readonly #clock: Clock;
  readonly #viewers = new Set<Viewer>();
  /** Ids whose change has not been sent. */
  readonly #dirty = new Set<string>();
  /** States of all machines while somebody looks: tells new ones, and the counts. */
  readonly #states = new Map<string, { readonly state: NodeState }>();
  #started: Promise<void> | undefined;
  #forget: (() => void) | undefined;
  #cancelFlush: (() => void) | undefined;
  #cancelKeepAlive: (() => void) | undefined;

  readonly #log: Logger;
  readonly #endOldSessions: () => void;

  constructor(options: {
    readonly controller: WebController;
    readonly clock: Clock;
    readonly log: Logger;
    /** Called now and then: sessions end by age while a page is merely open, too. */
    readonly endOldSessions: () => void;
  }) {
    this.#controller = options.controller;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#endOldSessions = options.endOldSessions;
  }

  get isFull(): boolean {
    return this.#viewers.size >= MOST_VIEWERS;
  }

  /** Answers with a stream that lasts until the browser, the session or the controller ends it. */
  async open(response: ServerResponse, session: Session, watched: Watched): Promise<void> {
    const viewer: Viewer = { response, session, watched };
    startEvents(response);
    const end = (): void => {
      response.end();
      this.#remove(viewer);
    };
    session.onEnd.add(end);
    response.once("close", () => {
      session.onEnd.delete(end);
      this.#remove(viewer);
    });
    this.#viewers.add(viewer);
    this.#started ??= this.#start();
    await this.#started;
    // What changed between the page and this connection, or while the browser was away.
    const ids = "node" in watched ? [watched.node] : [...watched.ids];
    await this.#send(viewer, await this.#read(ids), true);
  }

  close(): void {
    for (const viewer of this.#viewers) {
      viewer.response.end();
      this.#remove(viewer);
    }
  }

  async #start(): Promise<void> {
    this.#forget = this.#controller.onChange((id) => this.#noticed(id));
    this.#keepAlive();
    this.#states.clear();
    for await (const { id, state } of await this.#controller.listNodes())
      this.#states.set(id, { state });
  }

  #noticed(id: string): void {
    this.#dirty.add(id);
    this.#cancelFlush ??= this.#clock.after(COLLECT_MS, () => {
      this.#cancelFlush = undefined;
      this.#flush().catch((error: unknown) => {
        this.#log.error("changes were not sent to open pages", { reason: errorText(error) });
      });
    });
  }

  async #flush(): Promise<void> {
    const ids = [...this.#dirty];
    this.#dirty.clear();
    const changes = await this.#read(ids);
    let isCounted = false;
    for (const { id, node } of changes) {
      if (this.#states.get(id)?.state === node?.state) continue;
      isCounted = true;
      if (node === undefined) this.#states.delete(id);
      else this.#states.set(id, { state: node.state });
    }
    for (const viewer of this.#viewers) await this.#send(viewer, changes, isCounted);
  }

  async #read(ids: readonly string[]): Promise<readonly Change[]> {
    return await Promise.all(
      ids.map(async (id) => ({ id, node: await this.#controller.getNode(id) })),
    );
  }

  async #send(viewer: Viewer, changes: readonly Change[], isCounted: boolean): Promise<void> {
    const { response, session, watched } = viewer;
    const context = { session, nowMs: this.#clock.wallMs() };
    const fragments: Fragment[] = [];
    if ("node" in watched) {
      const change = changes.find(({ id }) => id === watched.node);
      if (change?.node === undefined) return;
      const certificates = await this.#controller.certificates(watched.node);
      for (const { id, part } of renderParts(change.node, certificates, context)) {
        fragments.push(fragment(id, part));
      }
    } else {
      for (const change of changes) fragments.push(...rowFragments(change, watched, context));
      if (isCounted) {
        fragments.push(
          fragment("counts", renderCounts(countStates(this.#states.values()), watched.list)),
        );
      }
    }
    if (fragments.length === 0 || response.writableEnded || response.destroyed) return;
    if (response.writableLength > BUFFER_LIMIT_BYTES) response.destroy();
    else {
      const data = JSON.stringify({ nowMs: context.nowMs, fragments });
      response.write(`event: change\ndata: ${data}\n\n`);
    }
  }

  #keepAlive(): void {
    this.#cancelKeepAlive = this.#clock.after(KEEP_ALIVE_MS, () => {
      this.#keepAlive();
      for (const { response } of this.#viewers) response.write(": still here\n\n");
      this.#endOldSessions();
    });
  }

  #remove(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size > 0) return;
    this.#forget?.();
    this.#cancelFlush?.();
    this.#cancelKeepAlive?.();
    this.#forget = undefined;
    this.#started = undefined;
    this.#cancelFlush = undefined;
    this.#dirty.clear();
    this.#states.clear();
  }
}

interface Change {
  readonly id: string;
  /** Undefined: it was removed. */
  readonly node: NodeRecord | undefined;
}

function rowFragments(
  { id, node }: Change,
  { list, ids }: Extract<Watched, { list: unknown }>,
  context: { readonly session: Session; readonly nowMs: number },
): readonly Fragment[] {
  const element = `node-${id}`;
  if (node === undefined) return ids.delete(id) ? [{ id: element, html: "" }] : [];
  const row = (): Html => renderRow(node, list, context);
  // A machine that left the list by what was decided stays in sight until the page is loaded anew.
  if (ids.has(id)) return [fragment(element, row())];
  if (list.page !== 0 || !isInView(node, list)) return [];
  ids.add(id);
  return [{ ...fragment(element, row()), into: "nodes" }];
}

function fragment(id: string, part: Html): Fragment {
  return { id, html: part.toString() };
}
