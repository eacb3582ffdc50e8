import { expect, test } from "vitest";
import { Slots } from "../../../src/keyspace/slots.ts";

interface Item {
  readonly key: string;
  readonly serial: number;
}

const open = (): Slots<Item> => new Slots<Item>();
const add = (slots: Slots<Item>, key: string): Item =>
  slots.insert(key, (serial) => ({ key, serial }));
const keys = (slots: Slots<Item>): string[] => [...slots.values()].map((item) => item.key);

test("a removed item is gone and not counted", () => {
  const slots = open();
  const item = add(slots, "a");
  slots.remove(item);
  expect(slots.get("a")).toBeUndefined();
  expect(slots.size).toBe(0);
  expect(keys(slots)).toEqual([]);
});

test("serials rise along the order even where a slot is used again", () => {
  const slots = open();
  add(slots, "a");
  const second = add(slots, "b");
  add(slots, "c");
  slots.remove(second);
  add(slots, "d");
  const again = add(slots, "b");
  expect(again).not.toBe(second);
  const serials = [...slots.values()].map((item) => item.serial);
  expect(serials).toEqual([...serials].sort((a, b) => a - b));
  expect(new Set(serials).size).toBe(4);
});

test("vacant slots are cleaned up, those in use again are kept", () => {
  const slots = open();
  for (let index = 0; index < 5000; index += 1) slots.remove(add(slots, `k${index}`));
  const kept = add(slots, "k4999");
  for (let index = 0; index < 5000; index += 1) slots.remove(add(slots, `l${index}`));
  expect(slots.get("k4999")).toBe(kept);
  expect(slots.slotCount).toBeLessThan(1100);
});

test("long keys leave no slot behind", () => {
  const slots = open();
  slots.remove(add(slots, "k".repeat(1000)));
  expect(slots.slotCount).toBe(0);
});
