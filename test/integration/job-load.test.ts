import { afterAll, beforeAll, expect, test } from "vitest";
import { JobAgent } from "./support/job-agent.ts";

const BATCH = 1000;
const JOBS = 100_000;
const MORE_MIB = 10;

let agent: JobAgent;

beforeAll(async () => {
  // The least there is: nothing but the newest few hundred results stays.
  agent = await JobAgent.start("[jobs]\nretention = 1048576\n");
});
afterAll(() => agent?.stop());

/** Runs jobs through the flow of the clients and returns the id of the last one. */
async function run(count: number, round: string): Promise<string> {
  let id = "";
  for (let done = 0; done < count; done += BATCH) {
    const pipeline = agent.client.pipeline();
    for (let index = done; index < done + BATCH; index += 1) {
      id = `${round}-${index}`;
      pipeline.rpush("core:default", JSON.stringify({ id, command: "core.ping", arguments: {} }));
      pipeline.brpoplpush(`result:${id}:flag`, `result:${id}:flag`, 10);
      pipeline.brpoplpush(`result:${id}`, `result:${id}`, 10);
    }
    const replies = (await pipeline.exec()) ?? [];
    const results = replies.filter((_, index) => index % 3 === 2);
    const good = results.filter(([, text]) => String(text).includes('"state":"SUCCESS"'));
    expect(good).toHaveLength(BATCH);
  }
  return id;
}

test("after a hundred thousand jobs the agent is as small as it was", async () => {
  // Until here code is loaded and compiled, which happens once.
  await run(5000, "warm");
  const before = agent.rssMiB();
  const last = await run(JOBS, "load");
  const busy = agent.rssMiB();
  expect(await agent.client.exists("result:load-0", "result:load-0:flag")).toBe(0);
  expect(await agent.client.exists(`result:${last}`, `result:${last}:flag`)).toBe(2);
  await expect
    .poll(() => agent.rssMiB(), { timeout: 20_000, interval: 500 })
    .toBeLessThan(before + MORE_MIB);
  const after = agent.rssMiB();
  console.log(`agent ${before.toFixed(0)} MiB, ${busy.toFixed(0)} busy, ${after.toFixed(0)} after`);
});

test("at the limit of jobs commands wait in their list, and every one gets its turn", async () => {
  const small = await JobAgent.start("[main]\nmax_jobs = 2\n[stats]\nenabled = false\n");
  try {
    const ids = Array.from({ length: 40 }, (_, index) => `job-${index}`);
    for (const [index, id] of ids.entries()) {
      const queue = index % 2 === 0 ? "q" : "";
      await small.submit({ id, command: "core.system", arguments: { name: "true" }, queue });
    }
    await small.submit({ id: "stays", command: "core.system", arguments: SLEEP });
    await small.submit({ id: "waits", command: "core.system", arguments: SLEEP, queue: "r" });
    await small.submit({ id: "last", command: "core.ping" });
    for (const id of ids) expect(await small.result(id)).toMatchObject({ state: "SUCCESS" });
    await expect.poll(() => small.client.exists("result:waits:flag")).toBe(1);
    expect(await small.client.llen("core:default")).toBe(1);
    // Sent directly it is not counted: somebody must be able to clean up.
    await small.client.call("job.kill", '{"id":"stays"}');
    expect(await small.result("last")).toMatchObject({ state: "SUCCESS" });
    await small.client.call("job.kill", '{"id":"waits"}');
  } finally {
    await small.stop();
  }
});

const SLEEP = { name: "sleep", args: ["600"] };
