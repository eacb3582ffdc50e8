import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BootConnection, buildBootSequence } from "../../src/boot/sequence.ts";
import { OperatorClient } from "../../src/controller/operator-client.ts";
import { Sequence } from "../../src/sequencer/sequence.ts";
import type { PhaseStatus } from "../../src/sequencer/types.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { linuxFiles } from "../../src/sys/files-linux.ts";
import { PRIVATE_FILES } from "../../src/vault/controller-api.ts";
import { NodeClock } from "../../src/vault/node-clock.ts";
import { type OpenVault, openVault } from "../../src/vault/open-vault.ts";
import { isLong } from "../support/long.ts";
import { makeRequest, TestController } from "./support/controller.ts";
import { SAMPLE, VaultHome } from "./support/vault-home.ts";

const MAC = "52:54:00:00:00:01";
/** A minute in the long suite: enough for the delays between attempts to reach their longest. */
const DOWN_MS = isLong ? 60_000 : 12_000;
const MIN_ATTEMPTS = isLong ? 5 : 3;
/** The longest delay between two attempts, and one attempt. */
const FOUND_MS = 50_000;
const BODY = { version: "1", hostname: "node0-test", uptimeS: 1, addresses: [], phases: [] };

let home: VaultHome;
let controller: TestController;
let operator: OperatorClient;
let vault: OpenVault;
const ended = new AbortController();

beforeEach(async () => {
  home = new VaultHome();
  controller = await new TestController().start();
  operator = new OperatorClient({ dir: controller.directory });
});

afterEach(async () => {
  ended.abort(new Error("the test is over"));
  vault.heartbeat.stop();
  await home.remove();
  await controller.remove();
});

/** Registers and approves the machine, and gives the controller its private configuration. */
async function prepare(): Promise<string> {
  const { id } = await operator.registerNode({ macs: [MAC] });
  const { csr, key } = makeRequest();
  const issued = await operator.issueCertificate(id, csr);
  const directory = join(home.root, "upload");
  home.encrypt(
    {
      ...SAMPLE,
      [PRIVATE_FILES.clientCertificate]: issued.certificate,
      [PRIVATE_FILES.clientKey]: key,
      [PRIVATE_FILES.ca]: issued.ca,
    },
    directory,
  );
  await operator.uploadPrivate(id, home.key, home.archive(directory));
  await operator.approve(id);
  return id;
}

/** The boot sequence of a machine, of whose phases those of the vault are real. */
function boot(url: string, ca: string): Sequence {
  const { log, directories, services: servicesDirectory } = home;
  vault = openVault({
    ...{ files: linuxFiles, clock: systemClock, log, directories, servicesDirectory },
    links: {
      list: () => [
        { name: "eth0", index: 2, mac: MAC, isPhysical: true, isUp: true, hasCarrier: true },
      ],
    },
    nodeClock: new NodeClock({ log, wallMs: Date.now, setWallMs: null, builtAtMs: null }),
    version: "1",
    controllers: () => [{ url, ca }],
    isFallback: () => false,
    overlayId: () => "",
    heartbeat: () => BODY,
    cgroups: null,
  });
  const absent: BootConnection = {
    skip: () => "not in this test",
    bringUp: async () => "",
    changed: async () => undefined,
    watch: () => undefined,
  };
  const phases = buildBootSequence({
    prepareSystem: async () => "",
    network: absent,
    overlay: null,
    unlock: vault.unlock,
    session: vault.session,
    ssh: absent,
    services: { skip: () => "not in this test", run: async () => "" },
    openApi: async () => [],
  });
  const events = { publish: () => undefined };
  return new Sequence({ name: "boot", phases, clock: systemClock, events });
}

test(
  "a controller that is down at first: the boot waits for it, says so, and goes on",
  async () => {
    const id = await prepare();
    // The CA stays where it is while the controller is away, as in an image.
    const ca = join(home.root, "ca.crt");
    writeFileSync(ca, readFileSync(join(controller.directory, "ca.crt")));
    const { url } = controller;
    await controller.stop();
    const sequence = boot(url, ca);
    const end = sequence.run(ended.signal);
    const phase = (name: string): PhaseStatus | undefined =>
      sequence.timeline().find((status) => status.phase === name);
    await wait(DOWN_MS);
    await expect
      .poll(() => phase("unlock"))
      .toMatchObject({
        state: "retrying",
        reason: expect.stringContaining(`${url}: connection refused`),
      });
    expect(phase("unlock")?.attempts).toBeGreaterThanOrEqual(MIN_ATTEMPTS);
    expect(phase("api")?.state).toBe("pending");
    await controller.start(new URL(url).host);
    await expect.poll(() => phase("controller-tls")?.state, { timeout: FOUND_MS }).toBe("done");
    expect(await end).toEqual({ state: "done" });
    expect(phase("unlock")?.reason).toContain(`revision 1, key by ${url} for ${id}`);
    expect((await vault.privateFiles.readPassword())?.toString()).toBe("a password for tests");
  },
  DOWN_MS + FOUND_MS + 30_000,
);
