import { expect, test } from "vitest";
import { Metrics } from "../../../src/controller/metrics.ts";

test("requests, times, outcomes and gauges are told in the text format", () => {
  const metrics = new Metrics();
  const plain = { route: "/v1/unlock", method: "POST" };
  metrics.request({ ...plain, status: 200, seconds: 0.004 });
  metrics.request({ ...plain, status: 200, seconds: 0.2 });
  metrics.unlock("approved");
  const values = [{ labels: 'state="pending"', value: 3 }];
  const lines = metrics.text([{ name: "nodes", help: "Machines.", values }]).split("\n");
  expect(lines).toEqual(
    expect.arrayContaining([
      'node0_controller_requests_total{route="/v1/unlock",method="POST",status="200"} 2',
      'node0_controller_unlocks_total{outcome="approved"} 1',
      'node0_controller_request_seconds_bucket{le="0.0025"} 0',
      'node0_controller_request_seconds_bucket{le="0.005"} 1',
      'node0_controller_request_seconds_bucket{le="0.25"} 2',
      'node0_controller_request_seconds_bucket{le="+Inf"} 2',
      "node0_controller_request_seconds_count 2",
      "# TYPE node0_controller_nodes gauge",
      'node0_controller_nodes{state="pending"} 3',
    ]),
  );
});
