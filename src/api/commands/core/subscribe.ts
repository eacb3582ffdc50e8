import { object, string, withDefault } from "../../../base/schema.ts";
import { FinalMessage } from "../../../job/final-message.ts";
import { FLAG } from "../../../job/run.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "core.subscribe",
  summary: "Copies the messages of another job into this job until that job ends.",
  scope: "both",
  // The other job's output is its owner's.
  access: "operate",
  result:
    "the followed job's own result message, if it has one; the state is that of the followed job",
  args: object({
    id: withDefault(string({ description: "Job to follow" }), ""),
  }),
  level: 0,
  run: ({ jobs }, { id }, job) => {
    const { promise, resolve } = Promise.withResolvers<FinalMessage>();
    const stop = jobs.follow(id, {
      jobId: job.id,
      message: (message) => {
        if (message === null) {
          resolve(new FinalMessage({ level: STDERR, text: "", isSuccess: false }));
        } else if ((message.flags & ENDS) !== 0) {
          const { level, text, flags } = message;
          resolve(new FinalMessage({ level, text, isSuccess: (flags & FLAG.success) !== 0 }));
        } else {
          job.emit(message.level, message.text);
        }
      },
    });
    return promise.finally(stop);
  },
});

const STDERR = 2;
const ENDS = FLAG.success | FLAG.error;
