import { expect, test } from "vitest";
import { EventBus } from "../../../src/events/bus.ts";

interface Events {
  link: { name: string };
  count: number;
}

test("listeners are called in order of subscription, with increasing sequence numbers", () => {
  const bus = new EventBus<Events>();
  const seen: string[] = [];
  bus.subscribe((event) => seen.push(`a${event.sequence}`));
  bus.subscribe((event) => seen.push(`b${event.sequence}`));
  bus.publish("count", 1);
  bus.publish("count", 2);
  expect(seen).toEqual(["a1", "b1", "a2", "b2"]);
});

test("a listener for one type sees that type alone, and nothing after it left", () => {
  const bus = new EventBus<Events>();
  const seen: string[] = [];
  const leave = bus.on("link", ({ name }) => seen.push(name));
  bus.publish("count", 1);
  bus.publish("link", { name: "eth0" });
  leave();
  bus.publish("link", { name: "eth1" });
  expect(seen).toEqual(["eth0"]);
});

test("the history keeps the newest events up to its limit", () => {
  const bus = new EventBus<Events>({ historyLimit: 3 });
  for (let count = 1; count <= 10; count += 1) bus.publish("count", count);
  expect(bus.history().map((event) => event.payload)).toEqual([8, 9, 10]);
});

test("a listener that throws is reported and does not keep the others from being called", () => {
  const errors: unknown[] = [];
  const bus = new EventBus<Events>({ onListenerError: (error) => errors.push(error) });
  const failure = new Error("broken");
  const seen: number[] = [];
  bus.subscribe(() => {
    throw failure;
  });
  bus.on("count", (count) => seen.push(count));
  bus.publish("count", 7);
  expect(errors).toEqual([failure]);
  expect(seen).toEqual([7]);
});
