import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { beforeEach, expect, test } from "vitest";
import { Live } from "../../../../src/controller/web/live.ts";
import { readView } from "../../../../src/controller/web/nodes-page.ts";
import { type Session, Sessions } from "../../../../src/controller/web/sessions.ts";
import { FakeClock } from "../../../fakes/clock.ts";
import { MemoryController, makeNode } from "../../../fakes/memory-controller.ts";
import { QuietLog } from "../../../fakes/quiet-log.ts";

interface Change {
  readonly fragments: readonly { readonly id: string; readonly html: string; into?: string }[];
}

/** Takes the place of a response: keeps what was written. */
class Stream extends EventEmitter {
  writableLength = 0;
  writableEnded = false;
  destroyed = false;
  #texts: string[] = [];

  writeHead(): void {}

  write(text: string): void {
    this.#texts.push(text);
  }

  end(): void {
    this.writableEnded = true;
    this.emit("close");
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }

  /** The events since the last call. */
  changes(): Change[] {
    const text = this.#texts.splice(0).join("");
    return [...text.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => JSON.parse(data) as Change);
  }

  /** The next events; waits for them. */
  async next(): Promise<Change[]> {
    await expect.poll(() => this.#texts.length).toBeGreaterThan(0);
    return this.changes();
  }
}

let clock: FakeClock;
let controller: MemoryController;
let live: Live;
let session: Session;
let endOldSessions: number;

beforeEach(() => {
  clock = new FakeClock();
  controller = new MemoryController(() => clock.wallMs());
  endOldSessions = 0;
  live = new Live({
    ...{ controller, clock, log: new QuietLog() },
    endOldSessions: () => {
      endOldSessions += 1;
    },
  });
  session = new Sessions(clock).start().session;
});

test("nothing is listened to and no timer runs while nobody looks", async () => {
  expect(controller.listeners).toBe(0);
  const stream = await look([]);
  expect(controller.listeners).toBe(1);
  stream.destroy();
  expect(controller.listeners).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

test("a page gets what it shows as it is now, with the first event", async () => {
  controller.put(makeNode({ id: "a", state: "approved" }));
  const stream = await look(["a"]);
  expect(idsOf(stream.changes())).toStrictEqual([["node-a", "counts"]]);
});

test("many changes within a moment are one event, each machine once in it", async () => {
  controller.put(makeNode({ id: "a" }));
  const stream = await look(["a"]);
  stream.changes();
  for (let count = 0; count < 50; count += 1) controller.put(makeNode({ id: "a" }));
  clock.advance(249);
  expect(stream.changes()).toStrictEqual([]);
  clock.advance(1);
  expect(idsOf(await stream.next())).toStrictEqual([["node-a"]]);
});

test("a new machine goes on top of the first page, and the counts change", async () => {
  const stream = await look([]);
  stream.changes();
  controller.put(makeNode({ id: "new" }));
  clock.advance(250);
  const [change] = await stream.next();
  expect(change?.fragments).toMatchObject([{ id: "node-new", into: "nodes" }, { id: "counts" }]);
});

test("a new machine does not come into another page of the list", async () => {
  const stream = await look([], "page=2");
  stream.changes();
  controller.put(makeNode({ id: "new" }));
  clock.advance(250);
  expect(idsOf(await stream.next())).toStrictEqual([["counts"]]);
});

test("the row of a machine that was removed goes", async () => {
  controller.put(makeNode({ id: "a" }));
  const stream = await look(["a"]);
  stream.changes();
  controller.remove("a");
  clock.advance(250);
  const [change] = await stream.next();
  expect(change?.fragments).toMatchObject([{ id: "node-a", html: "" }, { id: "counts" }]);
});

test("a stream ends with its session, and old sessions are looked for while it is open", async () => {
  const stream = await look([]);
  clock.advance(20_000);
  expect(endOldSessions).toBe(1);
  for (const end of [...session.onEnd]) end();
  expect(stream.writableEnded).toBe(true);
  expect(controller.listeners).toBe(0);
});

test("a browser that does not read is cut off", async () => {
  const stream = await look([]);
  stream.writableLength = 3 * 1024 * 1024;
  controller.put(makeNode({ id: "a" }));
  clock.advance(250);
  await expect.poll(() => stream.destroyed).toBe(true);
  expect(controller.listeners).toBe(0);
});

async function look(ids: readonly string[], query = ""): Promise<Stream> {
  const stream = new Stream();
  const watched = { list: readView(new URLSearchParams(query)), ids: new Set(ids) };
  await live.open(stream as unknown as ServerResponse, session, watched);
  return stream;
}

function idsOf(changes: readonly Change[]): string[][] {
  return changes.map(({ fragments }) => fragments.map(({ id }) => id));
}
