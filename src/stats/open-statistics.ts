import { errorText } from "../base/errors.ts";
import { LEVEL } from "../job/capture.ts";
import type { MessageHub } from "../job/message-hub.ts";
import { listenLazily } from "../records/listen-lazily.ts";
import type { AggregatorOptions } from "./aggregator.ts";
import type { StatisticsControl } from "./types.ts";

/** Hears the statistics lines of all jobs; what sums them up is loaded with the first of them. */
export function openStatistics(
  options: AggregatorOptions & { readonly hub: MessageHub },
): StatisticsControl {
  const { hub, log } = options;
  const aggregator = listenLazily({
    hub,
    wants: ({ level }) => level === LEVEL.statistics,
    load: async () => {
      const { Aggregator } = await import("./aggregator.ts");
      return new Aggregator(options);
    },
    onError: (error) => log.error("statistics cannot be kept", { reason: errorText(error) }),
  });
  return {
    feed: async (samples) => (await aggregator()).feed(samples),
    counts: async () => (await aggregator()).counts(),
    query: async (key, tags) => (await aggregator()).query(key, tags),
  };
}
