import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Follower } from "../../../src/client/follower.ts";
import { FakeChannels } from "./fake-channels.ts";

const LAST = '{"core":0,"command":"a","message":{"message":"","epoch":1,"meta":65539}}';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function follow(node: FakeChannels, onMessage: () => void = () => undefined): Follower {
  const signal = new AbortController().signal;
  return new Follower(node, { id: "a", onMessage, signal, patienceMs: 0 });
}

test("finishes with the last message, and leaves no timer behind", async () => {
  const arrival = Promise.withResolvers<unknown>();
  const follower = follow(new FakeChannels(() => arrival.promise));
  const finishing = follower.finish();
  arrival.resolve(["stream:a", LAST]);
  await finishing;

  expect(vi.getTimerCount()).toBe(0);
});

test("gives messages that never come a limited time", async () => {
  const follower = follow(new FakeChannels(() => new Promise(() => undefined)));
  let isFinished = false;
  const finishing = follower.finish().then(() => {
    isFinished = true;
  });

  await vi.advanceTimersByTimeAsync(1900);
  expect(isFinished).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  await finishing;
});

test("reports what the receiver of messages threw", async () => {
  const node = new FakeChannels(() => ["stream:a", LAST]);
  const follower = follow(node, () => {
    throw new Error("full disk");
  });

  await expect(follower.finish()).rejects.toThrow("full disk");
});
