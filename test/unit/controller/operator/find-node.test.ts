import { expect, test } from "vitest";
import { findNode } from "../../../../src/controller/operator/find-node.ts";
import { makeNode } from "../../../fakes/memory-controller.ts";

const nodes = [
  makeNode({ id: "abc123", macs: ["52:54:00:00:00:01"] }),
  makeNode({ id: "abd456", macs: ["52:54:00:00:00:02", "52:54:00:00:00:03"] }),
  makeNode({ id: "abc", macs: ["52:54:00:00:00:04"] }),
];

test("a machine is found by its id, its beginning, or any of its addresses", () => {
  expect(findNode(nodes, "abc123").id).toBe("abc123");
  expect(findNode(nodes, "abd").id).toBe("abd456");
  expect(findNode(nodes, "52-54-00-00-00-03").id).toBe("abd456");
});

test("an id that is also the beginning of another one means itself", () => {
  expect(findNode(nodes, "abc").id).toBe("abc");
});

test("a beginning of several ids names none, and the message tells them", () => {
  expect(() => findNode(nodes, "ab")).toThrow(/3 begin with it \(abc123, abd456, abc\)/);
});

test("what is not known is said to be unknown, the empty word too", () => {
  for (const word of ["x", "", "52:54:00:00:00:99"]) {
    expect(() => findNode(nodes, word)).toThrow(
      expect.objectContaining({ code: "E_NODE_UNKNOWN" }),
    );
  }
});
