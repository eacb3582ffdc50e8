import { errorText } from "../base/errors.ts";
import type { MessageHub } from "../job/message-hub.ts";
import { listenLazily } from "./listen-lazily.ts";
import type { RecordsOptions } from "./records.ts";
import type { RecordControl } from "./types.ts";

/**
 * Hears the messages of all jobs; everything behind that is loaded with the first of them, or with the
 * first use.
 */
export function openRecords(options: RecordsOptions & { readonly hub: MessageHub }): RecordControl {
  const { hub, log } = options;
  const records = listenLazily({
    hub,
    wants: () => true,
    load: async () => {
      const { Records } = await import("./records.ts");
      return new Records(options);
    },
    onError: (error) => log.error("log records cannot be kept", { reason: errorText(error) }),
  });
  return {
    subscribe: async (queue, levels) => (await records()).subscribe(queue, levels),
    unsubscribe: async (key) => (await records()).unsubscribe(key),
    reopen: async () => (await records()).reopen(),
    lost: async () => (await records()).lost(),
  };
}
