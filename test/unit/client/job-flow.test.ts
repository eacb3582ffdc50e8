import { expect, test } from "vitest";
import {
  awaitAcceptance,
  awaitResult,
  peekResult,
  submitJob,
} from "../../../src/client/job-flow.ts";
import { FakeChannels, lost } from "./fake-channels.ts";

const never = new AbortController().signal;
const job = { id: "a", signal: never, patienceMs: 1000 };
const RESULT = '{"id":"a","command":"core.ping","data":"1","level":20,"state":"SUCCESS","code":0}';

test("submits a job with one push to core:default", async () => {
  const node = new FakeChannels(() => 1);

  await submitJob(node, "{}", job);

  expect(node.requests).toEqual(["RPUSH core:default"]);
});

test("does not push again when the connection broke and the node knows the job", async () => {
  const node = new FakeChannels((name) => {
    if (name === "RPUSH") throw lost();
    return 1;
  });

  await submitJob(node, "{}", job);

  expect(node.requests).toEqual(["RPUSH core:default", "EXISTS result:a:flag"]);
});

test("never pushes twice: an unknown outcome is an error", async () => {
  const node = new FakeChannels((name) => {
    if (name === "RPUSH") throw lost();
    return 0;
  });

  await expect(submitJob(node, "{}", job)).rejects.toMatchObject({ code: "E_SUBMIT_UNCERTAIN" });
  expect(node.requests.filter((request) => request.startsWith("RPUSH"))).toHaveLength(1);
});

test("reports a job the node did not take", async () => {
  const node = new FakeChannels(() => null);

  await expect(awaitAcceptance(node, job)).rejects.toMatchObject({ code: "E_JOB_NOT_ACCEPTED" });
});

test("asks again for a result as long as the node knows the job", async () => {
  const replies = [null, null, RESULT];
  const node = new FakeChannels((name) => (name === "EXISTS" ? 1 : replies.shift()));

  expect(await awaitResult(node, job)).toMatchObject({ id: "a", state: "SUCCESS" });
});

test("fails at once for a job the node does not know", async () => {
  const node = new FakeChannels(() => 0);

  await expect(awaitResult(node, job)).rejects.toMatchObject({ code: "E_JOB_UNKNOWN" });
  expect(node.requests).toEqual(["EXISTS result:a:flag"]);
});

test("goes on waiting for a result after the connection broke", async () => {
  let breaks = 1;
  const node = new FakeChannels((name) => {
    if (name === "EXISTS") return 1;
    if (breaks-- > 0) throw lost();
    return RESULT;
  });

  expect(await awaitResult(node, job)).toMatchObject({ state: "SUCCESS" });
});

test("gives up at once on a lost connection when the caller has no patience", async () => {
  const node = new FakeChannels((name) => {
    if (name === "EXISTS") return 1;
    throw lost();
  });

  const waiting = awaitResult(node, { ...job, patienceMs: 0 });

  await expect(waiting).rejects.toMatchObject({ code: "E_CONNECTION_LOST" });
});

test("peeks at a running job without waiting", async () => {
  const node = new FakeChannels((name) => (name === "EXISTS" ? 1 : null));

  expect(await peekResult(node, job)).toBeNull();
  expect(node.requests).toEqual(["EXISTS result:a:flag", "RPOPLPUSH result:a"]);
});
