import { object, string } from "../../../base/schema.ts";
import { askOverlay, networkIdOf } from "../../overlay-of.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "zerotier.leave",
  summary:
    "Leaves a ZeroTier network; the one of zerotier= is joined again when the agent restarts",
  scope: "host",
  access: "operate",
  result: "No data; `200 leave OK` on standard output, code 1001 with the reason on failure",
  level: 0,
  args: object({ network: string({ description: "network id, 16 hexadecimal digits" }) }, [
    "network",
  ]),
  run: async (services, args, job) => {
    const network = networkIdOf(args.network);
    await askOverlay(services, (overlay) => overlay.leave(network));
    job.emit(1, "200 leave OK\n");
  },
});
