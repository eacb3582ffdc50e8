import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningController, startController } from "../../../src/controller/server-service.ts";
import type { NodeRecord } from "../../../src/controller/types.ts";
import { systemClock } from "../../../src/sys/clock.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

export interface ControllerServer extends AsyncDisposable {
  readonly url: string;
  /** Its directory, as operators name it. */
  readonly dir: string;
  readonly token: string;
  readonly controller: RunningController;
  readonly log: QuietLog;
  /** Puts a machine into the store as if it had come there by itself. */
  put(node: Omit<NodeRecord, "id">): string;
}

/** Starts a controller in an empty directory, on a port of the loopback. */
export async function openControllerServer(): Promise<ControllerServer> {
  const dir = mkdtempSync(join(tmpdir(), "node0-controller-"));
  const log = new QuietLog();
  const controller = await startController({
    ...{ directory: dir, masterKey: randomBytes(32), names: [], clock: systemClock, log },
    listen: { host: "127.0.0.1", port: 0 },
  });
  return {
    ...{ url: controller.url, dir, controller, log },
    token: readFileSync(join(dir, "operator-token"), "utf8").trim(),
    put: (node) => put(controller, node),
    [Symbol.asyncDispose]: async () => {
      await controller.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

function put({ core }: RunningController, node: Omit<NodeRecord, "id">): string {
  const { nodes } = core.store;
  const { macs, reported, address, overlayAddress, state, note, heartbeat } = node;
  const { id } = nodes.add({ macs, reported, address, overlayAddress, isRegistered: false });
  if (state !== "pending") nodes.setState(id, state, note);
  if (heartbeat !== null) nodes.setHeartbeat(id, heartbeat, heartbeat.from);
  core.changed(id);
  return id;
}
