import { expect, test } from "vitest";
import { decideUnlock, type UnlockView } from "../../../src/controller/policy.ts";
import type { NodeState, Policy } from "../../../src/controller/types.ts";

const VIEW: UnlockView = {
  policy: "manual",
  state: "approved",
  note: "",
  isRegistered: false,
  hasKey: true,
  overlayAddress: "",
  from: "192.0.2.1",
};

const decide = (over: Partial<UnlockView>) => decideUnlock({ ...VIEW, ...over });

const POLICIES: readonly Policy[] = ["manual", "registered", "overlay"];
const STATES: readonly NodeState[] = ["pending", "approved", "rejected", "revoked"];

test("an approved machine with a key gets it, one without is withheld", () => {
  expect(decide({})).toStrictEqual({ state: "approved", reason: "", approvesNow: false });
  expect(decide({ hasKey: false }).state).toBe("withheld");
});

test("no policy softens a refusal", () => {
  for (const policy of POLICIES) {
    for (const state of ["rejected", "revoked"] as const) {
      const view = { policy, state, isRegistered: true, overlayAddress: "192.0.2.1" };
      expect(decide(view)).toMatchObject({ state, approvesNow: false });
    }
  }
});

test("the note of the operator is the reason of a refusal", () => {
  expect(decide({ state: "revoked", note: "sold" }).reason).toBe("sold");
  expect(decide({ state: "rejected" }).reason).not.toBe("");
});

test("only policy registered approves by itself, and only registered machines that wait", () => {
  for (const policy of POLICIES) {
    for (const state of STATES) {
      for (const isRegistered of [true, false]) {
        const { approvesNow } = decide({ policy, state, isRegistered });
        expect(approvesNow).toBe(policy === "registered" && state === "pending" && isRegistered);
      }
    }
  }
});

test("policy overlay withholds from every other address, and where none is pinned", () => {
  const policy = "overlay";
  expect(decide({ policy }).state).toBe("withheld");
  expect(decide({ policy, overlayAddress: "192.0.2.2" }).state).toBe("withheld");
  expect(decide({ policy, overlayAddress: "192.0.2.1" }).state).toBe("approved");
});

test("a pinned address matters to policy overlay alone", () => {
  expect(decide({ overlayAddress: "192.0.2.2" }).state).toBe("approved");
});
