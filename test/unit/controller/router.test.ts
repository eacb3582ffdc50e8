import { expect, test } from "vitest";
import { Router, withoutBody } from "../../../src/controller/router.ts";

const answer = () => ({ status: 200, json: {} });
const router = new Router([
  withoutBody("GET", "/v1/nodes", "operator", answer),
  withoutBody("POST", "/v1/nodes", "operator", answer),
  withoutBody("GET", "/v1/nodes/{id}", "operator", answer),
  withoutBody("POST", "/v1/nodes/{id}/approve", "operator", answer),
]);

const find = (method: string, path: string) => {
  const match = router.find(method, path);
  return match && [match.route.path, match.parameters];
};

test("a request finds the route of its method and path", () => {
  expect(find("GET", "/v1/nodes")).toStrictEqual(["/v1/nodes", {}]);
  expect(find("GET", "/v1/nodes/abc")).toStrictEqual(["/v1/nodes/{id}", { id: "abc" }]);
  expect(find("POST", "/v1/nodes/abc/approve")?.[1]).toStrictEqual({ id: "abc" });
});

test("members of the path are decoded and never span a slash", () => {
  expect(find("GET", "/v1/nodes/a%3Ab")?.[1]).toStrictEqual({ id: "a:b" });
  expect(find("GET", "/v1/nodes/a/b")).toBeUndefined();
  expect(find("GET", "/v1/nodes/")).toBeUndefined();
});

test("the pattern of a path is not a path", () => {
  expect(find("GET", "/v1/nodes/{id}")?.[1]).toStrictEqual({ id: "{id}" });
});

test("a broken escape is refused, a wrong method told from a wrong path", () => {
  expect(() => router.find("GET", "/v1/nodes/%zz")).toThrow(/broken escape/);
  expect(() => router.find("DELETE", "/v1/nodes")).toThrow(/not a method/);
  expect(find("GET", "/v2")).toBeUndefined();
});
