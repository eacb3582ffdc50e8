import { expect, test } from "vitest";
import { pathEvidence } from "../../../src/network/path-evidence.ts";

const VIEW = { interfaces: [], defaultRoutes: [], state: undefined } as never;
const { signal } = new AbortController();
const nobody = (): never => {
  throw new Error("asked although there is no gateway");
};

const evidence = (reason: string) =>
  pathEvidence({
    check: {
      isReached: false,
      reason,
      results: [{ target: "https://c:8443", isReached: false, reason }],
    },
    view: VIEW,
    guard: nobody,
    signal,
  });

test.each([
  "connection refused",
  "connection reset, perhaps not a TLS server",
  "connection closed before TLS was set up",
  "certificate not signed by the CA in /ca.crt",
  "certificate is for another name",
  "not a TLS server",
])("%s comes from the other end of a working network", async (reason) => {
  expect(await evidence(reason)).toBe("something answers at https://c:8443");
});

test.each([
  "no answer within 5 s",
  "no answer on the network (host unreachable)",
  "no route to it",
  "its name is not known",
  "cannot read its CA file /ca.crt",
])("%s proves nothing", async (reason) => {
  expect(await evidence(reason)).toBeUndefined();
});
