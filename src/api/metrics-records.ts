import { counter, type MetricFamily } from "../metrics/family.ts";
import type { RecordControl } from "../records/types.ts";

/** What the logs of jobs did not keep. */
export async function recordMetrics(records: Pick<RecordControl, "lost">): Promise<MetricFamily[]> {
  const lost = await records.lost();
  const samples = Object.entries(lost).map(([sink, value]) => ({ labels: { sink }, value }));
  return [counter("node0_log_records_lost_total", "Log records that were lost.", samples)];
}
