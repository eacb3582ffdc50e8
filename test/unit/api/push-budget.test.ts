import { expect, test } from "vitest";
import { type Debtor, PushBudget } from "../../../src/api/push-budget.ts";
import { FakeClock } from "../../fakes/clock.ts";

const MIB = 1024 * 1024;

function openBudget(count: number) {
  const clock = new FakeClock();
  const debtors: (Debtor & { unsentBytes: number; retries: number })[] = Array.from(
    { length: count },
    () => ({
      unsentBytes: 0,
      retries: 0,
      catchUp() {
        this.retries += 1;
      },
    }),
  );
  const budget = new PushBudget(clock, () => debtors, 10 * MIB);
  const send = (debtor: (typeof debtors)[number] | undefined, bytes: number): boolean => {
    if (debtor === undefined || !budget.grants(debtor, bytes)) return false;
    debtor.unsentBytes += bytes;
    return true;
  };
  return { clock, debtors, budget, send };
}

test("a large message goes to as many as there is room for", () => {
  const { debtors, send } = openBudget(1000);
  const taken = debtors.filter((debtor) => send(debtor, 3 * MIB));
  expect(taken).toHaveLength(3);
});

test("who was refused tries again, and is refused as long as nobody reads", () => {
  const { clock, debtors, send } = openBudget(5);
  for (const debtor of debtors) send(debtor, 4 * MIB);
  clock.advance(50);
  expect(debtors.map(({ retries }) => retries)).toStrictEqual([0, 0, 1, 1, 1]);
  expect(send(debtors[2], 4 * MIB)).toBe(false);
  for (const debtor of debtors) debtor.unsentBytes = 0;
  clock.advance(50);
  expect(debtors[2]?.retries).toBe(2);
  expect(send(debtors[2], 4 * MIB)).toBe(true);
});

test("who keeps up gets small messages whatever others leave unread", () => {
  const { clock, debtors, send } = openBudget(3);
  const [slow, quick, other] = debtors;
  send(slow, 10 * MIB);
  clock.advance(20);
  expect(send(quick, 1000)).toBe(true);
  expect(send(quick, 1000)).toBe(false);
  if (quick !== undefined) quick.unsentBytes = 0;
  expect(send(quick, 1000)).toBe(true);
  expect(send(other, MIB)).toBe(false);
});

test("one message may be larger than everything while nothing else is unread", () => {
  const { clock, debtors, send } = openBudget(2);
  expect(send(debtors[0], 50 * MIB)).toBe(true);
  expect(send(debtors[1], 50 * MIB)).toBe(false);
  if (debtors[0] !== undefined) debtors[0].unsentBytes = 0;
  clock.advance(20);
  expect(send(debtors[1], 50 * MIB)).toBe(true);
});

test("who has gone is not told", () => {
  const { clock, debtors, budget, send } = openBudget(2);
  for (const debtor of debtors) send(debtor, 8 * MIB);
  const [, gone] = debtors;
  if (gone !== undefined) budget.forget(gone);
  clock.advance(50);
  expect(gone?.retries).toBe(0);
});
