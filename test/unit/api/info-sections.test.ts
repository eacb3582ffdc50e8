import { expect, test } from "vitest";
import { nodeSections } from "../../../src/api/info-node.ts";
import { readReplies } from "../../fakes/reply-reader.ts";
import { openEndpointCore } from "./harness.ts";

const linesOf = (text: unknown): Map<string, string> =>
  new Map(
    String(text)
      .split("\r\n")
      .filter((line) => line.includes(":"))
      .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
  );

test("tools of Redis find what they look for", () => {
  const { send } = openEndpointCore();
  const lines = linesOf(readReplies(send("INFO"))[0]);
  for (const name of [
    "redis_mode",
    "os",
    "run_id",
    "uptime_in_seconds",
    "connected_clients",
    "blocked_clients",
    "used_memory",
    "used_memory_human",
    "used_memory_rss",
    "maxmemory",
    "rdb_last_bgsave_status",
    "aof_enabled",
    "total_connections_received",
    "total_commands_processed",
    "instantaneous_ops_per_sec",
    "rejected_connections",
    "expired_keys",
    "evicted_keys",
    "role",
    "connected_slaves",
    "used_cpu_sys",
    "used_cpu_user",
    "cluster_enabled",
  ]) {
    expect([name, lines.get(name)]).toStrictEqual([name, expect.stringMatching(/./)]);
  }
  expect(lines.get("run_id")).toMatch(/^[0-9a-f]{40}$/);
  expect(lines.get("maxmemory_human")).toMatch(/^\d+\.\d\d[MG]$/);
});

test("the rate is that of the time between two readings", () => {
  const { send, clock } = openEndpointCore();
  const rate = (): string | undefined =>
    linesOf(readReplies(send("INFO", "stats"))[0]).get("instantaneous_ops_per_sec");
  rate();
  clock.advance(2000);
  rate();
  for (let count = 0; count < 99; count += 1) send("PING");
  clock.advance(1000);
  expect(rate()).toBe("100");
  clock.advance(500);
  expect(rate()).toBe("100");
});

test("the node's own sections show jobs, boot and network", () => {
  const sections = nodeSections(
    {
      boot: {
        finishedMs: () => 1234,
        timeline: () => [
          { phase: "network", state: "done", startMs: 5, endMs: 105, attempts: 2, reason: "" },
          { phase: "api", state: "pending", startMs: null, endMs: null, attempts: 0, reason: "" },
        ],
      },
      network: null,
    },
    { counts: () => ({ queued: 1, running: 2 }), finished: () => ({ SUCCESS: 3 }) },
  );
  expect(sections).toStrictEqual({
    jobs: { jobs_queued: 1, jobs_running: 2, finished_success: 3 },
    boot: {
      boot_ms: 1234,
      phase_network: "state=done,attempts=2,ms=100",
      phase_api: "state=pending,attempts=0,ms=-1",
    },
  });
});
