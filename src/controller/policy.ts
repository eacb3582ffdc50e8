import type { UnlockAnswer } from "../vault/controller-api.ts";
import type { NodeState, Policy } from "./types.ts";

/** What is known of a machine the moment it asks for its key. */
export interface UnlockView {
  readonly policy: Policy;
  readonly state: NodeState;
  readonly note: string;
  /** An operator named its addresses before or after it asked. */
  readonly isRegistered: boolean;
  /** Whether a key was uploaded. */
  readonly hasKey: boolean;
  /** Empty: none pinned. */
  readonly overlayAddress: string;
  /** Where the request comes from, in the same form. */
  readonly from: string;
}

export interface UnlockDecision {
  readonly state: UnlockAnswer["state"];
  /** For the person at the console; empty when approved. */
  readonly reason: string;
  /** The policy approves the machine with this request. */
  readonly approvesNow: boolean;
}

/**
 * Decides over one request for an unlock key. A refusal is never softened by a policy, and policy
 * `overlay` gives nothing to a machine without a pinned address.
 */
export function decideUnlock(view: UnlockView): UnlockDecision {
  const approvesNow = view.state === "pending" && view.policy === "registered" && view.isRegistered;
  const answer = (state: UnlockDecision["state"], reason: string): UnlockDecision => ({
    state,
    reason,
    approvesNow,
  });
  if (view.state === "rejected" || view.state === "revoked") {
    return answer(view.state, view.note === "" ? `an operator ${view.state} it` : view.note);
  }
  if (view.state === "pending" && !approvesNow) {
    return answer("pending", "an operator has to approve this machine");
  }
  if (view.policy === "overlay" && view.overlayAddress === "") {
    return answer("withheld", "no overlay address is pinned for this machine");
  }
  if (view.policy === "overlay" && view.overlayAddress !== view.from) {
    return answer("withheld", "keys are given only to the overlay address of this machine");
  }
  if (!view.hasKey) return answer("withheld", "no private configuration was uploaded for it");
  return answer("approved", "");
}
