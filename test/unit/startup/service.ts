import type { StartupService } from "../../../src/startup/types.ts";

/** A service as one of the file `x.toml`; `over` says what is not the default. */
export function service(over: Partial<StartupService> & { readonly id: string }): StartupService {
  return {
    place: "x.toml:1",
    command: "core.system",
    args: { name: over.id },
    condition: "",
    after: [],
    runningDelay: 2,
    runningMatch: null,
    runningLimit: 60,
    isProtected: false,
    maxRestart: 0,
    recurringPeriod: 0,
    tags: null,
    ...over,
  };
}
