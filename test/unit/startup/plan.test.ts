import { describe, expect, test } from "vitest";
import { planServices } from "../../../src/startup/plan.ts";
import { service } from "./service.ts";

const waiter = (id: string, ...names: string[]) => service({ id, after: names });

function plan(...services: ReturnType<typeof waiter>[]) {
  const { planned, problems } = planServices(services);
  const places = planned.map(({ service: { id }, milestone, requires }) =>
    [id, milestone, ...requires].join(" "),
  );
  return { places, problems };
}

test("a service belongs to the latest point it waits for, itself or by others", () => {
  expect(
    plan(
      waiter("late"),
      waiter("early", "init"),
      waiter("mid", "net"),
      waiter("both", "init", "net"),
      waiter("behind", "early"),
      waiter("mixed", "early", "net"),
      waiter("last", "behind", "late"),
      waiter("self-made", "mid"),
    ).places,
  ).toEqual([
    "late boot",
    "early init",
    "mid net",
    "both net",
    "behind init early",
    "mixed net early",
    "last boot behind late",
    "self-made net mid",
  ]);
});

test("the order of the files does not matter", () => {
  expect(plan(waiter("c", "b"), waiter("b", "a"), waiter("a", "init")).places).toEqual([
    "c init b",
    "b init a",
    "a init",
  ]);
});

describe("what cannot be started is named with file and line, and the others start", () => {
  test("a circle", () => {
    const { places, problems } = plan(
      waiter("a", "c"),
      waiter("b", "a"),
      waiter("c", "b"),
      waiter("d", "c"),
      waiter("ok", "init"),
    );
    expect(places).toEqual(["ok init"]);
    expect(problems[0]).toBe(
      "Cannot start service a of x.toml:1: waits in a circle: a → c → b → a",
    );
    expect(problems.slice(1)).toEqual([
      "Cannot start service b of x.toml:1: a before it cannot be started",
      "Cannot start service c of x.toml:1: b before it cannot be started",
      "Cannot start service d of x.toml:1: c before it cannot be started",
    ]);
  });

  test("a service that waits for itself", () => {
    expect(plan(waiter("a", "a")).problems).toEqual([
      "Cannot start service a of x.toml:1: waits in a circle: a → a",
    ]);
  });

  test("one after a service that does not exist, and those after that one", () => {
    const { places, problems } = plan(waiter("a", "none"), waiter("b", "a"), waiter("c", "net"));
    expect(places).toEqual(["c net"]);
    expect(problems).toEqual([
      'Cannot start service a of x.toml:1: after "none" seen, expected init, net, boot, a service',
      "Cannot start service b of x.toml:1: a before it cannot be started",
    ]);
  });
});

test("names that every object has are names like others", () => {
  const { places, problems } = plan(
    waiter("__proto__", "init"),
    waiter("constructor", "__proto__"),
    waiter("x", "toString"),
  );
  expect(places).toEqual(["__proto__ init", "constructor init __proto__"]);
  expect(problems).toHaveLength(1);
});

test("services of an earlier plan count", () => {
  const known = new Map([["old", { milestone: "net" as const }]]);
  const { planned } = planServices([waiter("new", "old")], known);
  expect(planned).toMatchObject([{ milestone: "net", requires: ["old"] }]);
});

test("a chain of 2000 services is planned", () => {
  const chain = Array.from({ length: 2000 }, (_, at) =>
    at === 0 ? waiter("s0", "init") : waiter(`s${at}`, `s${at - 1}`),
  ).reverse();
  expect(planServices(chain).planned.every(({ milestone }) => milestone === "init")).toBe(true);
});
