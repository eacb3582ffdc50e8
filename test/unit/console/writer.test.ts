import { expect, test } from "vitest";
import { ConsoleWriter } from "../../../src/console/writer.ts";
import { FakeClock } from "../../fakes/clock.ts";

/** A terminal that takes `room` bytes and then is busy. */
function slowTerminal(room: number) {
  const state = { text: "", room, isGone: false, isClosed: false };
  const port = {
    write: (bytes: Buffer): number => {
      if (state.isGone) throw new Error("EIO");
      const taken = Math.min(bytes.length, state.room);
      state.text += bytes.subarray(0, taken).toString();
      state.room -= taken;
      return taken;
    },
    close: () => {
      state.isClosed = true;
    },
  };
  return { state, port };
}

function setUp(room: number, limitBytes?: number) {
  const clock = new FakeClock();
  const { state, port } = slowTerminal(room);
  const writer = new ConsoleWriter(
    port,
    limitBytes === undefined ? { clock } : { clock, limitBytes },
  );
  return { clock, state, writer };
}

test("a busy terminal gets the rest later, in order and without loss", () => {
  const { clock, state, writer } = setUp(3);
  writer.write("first\n");
  writer.write("second\n");
  expect(state.text).toBe("fir");
  state.room = 5;
  clock.advance(20);
  expect(state.text).toBe("first\nse");
  state.room = 100;
  clock.advance(20);
  expect(state.text).toBe("first\nsecond\n");
  expect(clock.pendingTimers).toBe(0);
});

test("what does not fit is dropped whole and counted in front of the next piece", () => {
  const { clock, state, writer } = setUp(0, 60);
  writer.write("kept\n");
  writer.write("x".repeat(100));
  writer.write("y".repeat(100));
  expect(writer.dropped).toBe(2);
  state.room = 1000;
  clock.advance(20);
  writer.write("next\n");
  expect(state.text).toBe("kept\n... 2 pieces of console output dropped ...\r\nnext\n");
  expect(writer.dropped).toBe(0);
});

test("a terminal that is stopped for ever costs no more than the limit", () => {
  const { clock, writer } = setUp(0, 1000);
  for (let line = 0; line < 10_000; line += 1) writer.write(`line ${line}\n`);
  expect(writer.dropped).toBeGreaterThan(9000);
  expect(clock.pendingTimers).toBe(1);
});

test("a terminal that is gone is left alone", () => {
  const { state, writer, clock } = setUp(100);
  state.isGone = true;
  writer.write("a");
  writer.write("b");
  expect(clock.pendingTimers).toBe(0);
  writer.close();
  expect(state.isClosed).toBe(true);
});
