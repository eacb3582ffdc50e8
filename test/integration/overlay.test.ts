import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PhaseStatus } from "../../src/sequencer/types.ts";
import {
  HOME,
  KEPT,
  missingForLab,
  NETWORK,
  type OverlayAgent,
  OverlayLab,
} from "./support/overlay-lab.ts";
import { type OverlayWorld, realWorld, standInWorld } from "./support/overlay-world.ts";

const missing = missingForLab();

const ADDRESS = "10.147.17.5/24";
const OTHER = "1d71939404000001";
const LOG = "/run/node0/services/zerotier-one.log";
const RESPAWN = { timeout: 15_000 };
const AUTHORISED = [{ status: "OK", addresses: [ADDRESS] }];

const isDone = ({ state }: PhaseStatus): boolean => state === "done";
const isRetrying = ({ state }: PhaseStatus): boolean => state === "retrying";
const says =
  (text: string) =>
  ({ reason }: PhaseStatus): boolean =>
    reason.includes(text);

describe.each([standInWorld, realWorld])("an overlay node with $name", (kind) => {
  const why = missing ?? kind.missing;
  if (why !== undefined) console.log(`the overlay with ${kind.name} is skipped: ${why}`);
  const limitMs = kind.limitMs;

  describe.skipIf(why !== undefined)("joins and stays", () => {
    let world: OverlayWorld;
    beforeEach(async () => {
      world = await kind.open();
    }, limitMs);
    afterEach(() => world.lab.close());

    const start = (): OverlayAgent => world.lab.startAgent({ network: world.network });
    const identity = (): string => world.lab.read(`${HOME}/identity.secret`).trim();
    const up = async (): Promise<{ agent: OverlayAgent; reason: string }> => {
      const agent = start();
      await agent.until(says("ACCESS_DENIED"));
      await world.authorise();
      return { agent, reason: (await agent.until(isDone)).reason };
    };

    test(
      "is refused, waits for an administrator, and is done with an address",
      async () => {
        const agent = start();
        const { reason, attempts } = await agent.until(says("ACCESS_DENIED"));
        const who = `${identity().slice(0, 10)} on ${world.network}`;
        expect(reason).toBe(`waiting for an administrator to authorise ${who} (ACCESS_DENIED)`);
        expect(attempts).toBe(1);
        await world.authorise();
        const done = await agent.until(isDone);
        const [, name = "", address = ""] = /^(zt\w+) (\S+) on /.exec(done.reason) ?? [];
        expect(address.startsWith(world.subnet)).toBe(true);
        expect(world.lab.run("ip", "-o", "address", "show", "dev", name)).toContain(address);
      },
      limitMs,
    );

    test(
      "a daemon that was killed is started again, and the network comes back",
      async () => {
        const { agent, reason } = await up();
        const before = { pid: world.lab.servicePid(), identity: identity() };
        world.lab.run("kill", "-KILL", before.pid);
        expect((await agent.until(isRetrying)).reason).toContain("signal SIGKILL");
        expect((await agent.until(isDone)).reason).toBe(reason);
        expect(identity()).toBe(before.identity);
        expect(world.lab.servicePid()).not.toBe(before.pid);
      },
      limitMs,
    );

    test(
      "the daemon survives the agent, and the next agent takes it over",
      async () => {
        const { agent, reason } = await up();
        const pid = world.lab.servicePid();
        await agent.kill();
        const next = start();
        expect(await next.until(isDone)).toMatchObject({ reason, attempts: 1 });
        const service = await next.ask({ call: "service" });
        expect(service).toMatchObject({ pid: Number(pid), isAdopted: true });
        expect(world.lab.servicePid()).toBe(pid);
        expect(world.lab.run("pgrep", "-c", "-f", `zerotier-one -U -p9993 ${HOME}`).trim()).toBe(
          "1",
        );
      },
      limitMs,
    );

    test(
      "a daemon that died without an agent is started by the next one, with its identity",
      async () => {
        const { agent } = await up();
        const before = { pid: world.lab.servicePid(), identity: identity() };
        await agent.kill();
        world.lab.run("kill", "-KILL", before.pid);
        await start().until(isDone);
        expect(identity()).toBe(before.identity);
      },
      limitMs,
    );

    test(
      "what the service says is what info and list answer",
      async () => {
        const { agent } = await up();
        const info = await agent.ask({ call: "info" });
        expect(info).toMatchObject({ address: identity().slice(0, 10) });
        const [network] = (await agent.ask({ call: "list" })) as Record<string, unknown>[];
        expect(network).toMatchObject({ nwid: world.network, status: "OK", type: "PRIVATE" });
      },
      limitMs,
    );
  });
});

describe.skipIf(missing !== undefined)("the overlay with a stand-in that plays along", () => {
  let lab: OverlayLab;
  beforeEach(async () => {
    lab = await OverlayLab.open();
  });
  afterEach(() => lab.close());

  const identity = (): string => lab.read(`${HOME}/identity.secret`).trim();

  test("joins, waits for an address that is really there, and says what it reached", async () => {
    lab.installStandIn();
    const { reason } = await lab.startAgent().until(isDone);
    const form = /^(zt[a-z]{8}) 10\.147\.17\.5\/24 on (\w{16}) as (\w{10})$/;
    const [, name = "", network, nodeId] = form.exec(reason) ?? [];
    expect(network).toBe(NETWORK);
    expect(lab.run("ip", "-o", "address", "show", "dev", name)).toContain(ADDRESS);
    expect(identity()).toMatch(new RegExp(`^${nodeId}:0:`));
  });

  test("the daemon is in a cgroup of its own, and its files are for root alone", async () => {
    lab.installStandIn();
    await lab.startAgent().until(isDone);
    const members = lab
      .read("/sys/fs/cgroup/services/zerotier-one/cgroup.procs")
      .trim()
      .split("\n");
    expect(members).toContain(lab.servicePid());
    const secrets = ["", "/identity.secret", "/authtoken.secret", "/local.conf"];
    const modes = lab.run("stat", "-c", "%a", ...secrets.map((name) => `${HOME}${name}`));
    expect(modes.trim().split("\n")).toStrictEqual(["700", "600", "600", "600"]);
  });

  test("a node that is not authorised is shown as waiting for that, and goes on when it is", async () => {
    lab.installStandIn();
    lab.setScenario({
      networks: {
        [NETWORK]: [
          { status: "REQUESTING_CONFIGURATION", forMs: 500 },
          { status: "ACCESS_DENIED" },
        ],
      },
    });
    const agent = lab.startAgent();
    await agent.until(says("REQUESTING_CONFIGURATION"));
    const { reason, attempts } = await agent.until(says("ACCESS_DENIED"));
    const nodeId = identity().slice(0, 10);
    const wanted = `waiting for an administrator to authorise ${nodeId} on ${NETWORK} (ACCESS_DENIED)`;
    expect({ reason, attempts }).toStrictEqual({ reason: wanted, attempts: 1 });
    lab.setScenario({ networks: { [NETWORK]: [{ status: "OK", addresses: [] }] } });
    await agent.until(says(`authorised on ${NETWORK}, waiting for an address`));
    lab.setScenario({ networks: { [NETWORK]: AUTHORISED } });
    expect((await agent.until(isDone)).reason).toContain(ADDRESS);
  });

  test.each([
    ["NOT_FOUND", "knows no such network"],
    ["PORT_ERROR", "cannot make its link"],
    ["CLIENT_TOO_OLD", "is too old"],
    ["AUTHENTICATION_REQUIRED", "wants a sign-in"],
  ])("the state %s is told in words", async (status, words) => {
    lab.installStandIn();
    lab.setScenario({ networks: { [NETWORK]: [{ status }] } });
    await lab.startAgent().until(says(words));
  });

  test("a node without a way out says that it is offline", async () => {
    lab.installStandIn();
    const networks = { [NETWORK]: [{ status: "REQUESTING_CONFIGURATION" }] };
    lab.setScenario({ online: false, networks });
    await lab.startAgent().until(says("is offline"));
  });

  test("a daemon that was taken over and dies is started again too", async () => {
    lab.installStandIn();
    const first = lab.startAgent();
    await first.until(isDone);
    await first.kill();
    const second = lab.startAgent();
    await second.until(isDone);
    lab.run("kill", "-KILL", lab.servicePid());
    await second.until(isRetrying);
    await second.until(isDone);
    expect(await second.ask({ call: "service" })).toMatchObject({ isAdopted: false });
  });

  test("without the program the phase names the places, and goes on when it appears", async () => {
    const agent = lab.startAgent();
    const { reason } = await agent.until(says("is not installed: looked for"));
    expect(reason).toContain("/usr/sbin/zerotier-one");
    lab.installStandIn();
    await agent.until(isDone);
  });

  test("a daemon that takes connections and never answers is told as such", async () => {
    lab.installStandIn();
    lab.setScenario({ hangs: true });
    const agent = lab.startAgent();
    await agent.until(says("no answer within 3 s"));
    lab.setScenario({});
    await agent.until(isDone);
  });

  test("an answer that is not JSON is told as such, and nothing breaks", async () => {
    lab.installStandIn();
    lab.setScenario({ answer: "<html>" });
    const agent = lab.startAgent();
    await agent.until(says("the answer is not JSON"));
    lab.setScenario({});
    await agent.until(isDone);
  });

  test("a token that the service does not know is told as such, and is never shown", async () => {
    lab.installStandIn();
    const agent = lab.startAgent();
    await agent.until(isDone);
    const token = lab.read(`${HOME}/authtoken.secret`);
    lab.write(`${HOME}/authtoken.secret`, "f00df00df00df00d");
    const { reason } = await agent.until(isRetrying);
    expect(reason).toContain("refused the token of authtoken.secret");
    lab.write(`${HOME}/authtoken.secret`, token);
    await agent.until(isDone);
    expect(agent.log).not.toContain(token);
    expect(agent.log).not.toContain("f00df00d");
  });

  test("a broken local.conf costs its settings, not the network", async () => {
    lab.installStandIn();
    lab.configure("local.conf", '{"settings": {"primaryPort": 9001,');
    const agent = lab.startAgent();
    await agent.until(isDone);
    const { problems } = (await agent.ask({ call: "service" })) as { problems: string[] };
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^Cannot use \/etc\/g8os\/zerotier\/local\.conf: .* expected JSON/);
    expect(agent.log).toContain("overlay setting not used");
  });

  test("a port of the configuration is used for the local API, wider management is refused", async () => {
    lab.installStandIn();
    const settings = { primaryPort: 9001, allowManagementFrom: ["0.0.0.0/0"] };
    lab.configure("local.conf", JSON.stringify({ settings }));
    const agent = lab.startAgent();
    await agent.until(isDone);
    expect(lab.read(`${HOME}/zerotier-one.port`)).toBe("9001");
    expect(lab.read(`${HOME}/local.conf`)).not.toContain("allowManagementFrom");
    expect(agent.log).toContain("settings.allowManagementFrom");
  });

  test("a planet and moons of the configuration reach the service", async () => {
    lab.installStandIn();
    lab.configure("planet", "a planet");
    lab.configure("moons.d/000000deadbeef00.moon", "a moon");
    lab.configure("moons.d/notes.txt", "not a moon");
    const agent = lab.startAgent();
    await agent.until(isDone);
    expect(lab.read(`${HOME}/planet`)).toBe("a planet");
    expect(lab.run("ls", `${HOME}/moons.d`).trim()).toBe("000000deadbeef00.moon");
    expect(agent.log).toContain("notes.txt");
  });

  test("an identity that was kept is used, and a new one is kept where there is a place", async () => {
    lab.installStandIn();
    lab.run("mkdir", "-p", KEPT);
    const agent = lab.startAgent();
    await agent.until(isDone);
    const first = identity();
    expect(lab.read(`${KEPT}/identity.secret`).trim()).toBe(first);
    expect(lab.run("stat", "-c", "%a", `${KEPT}/identity.secret`).trim()).toBe("600");
    await agent.ask({ call: "stop" });
    await agent.kill();
    lab.run("rm", "-r", HOME);
    await lab.startAgent().until(isDone);
    expect(identity()).toBe(first);
  });

  test("an identity that appears later is used on request, with one restart", async () => {
    lab.installStandIn();
    const agent = lab.startAgent();
    await agent.until(isDone);
    const kept = `0123456789:0:${"ab".repeat(64)}:${"cd".repeat(64)}`;
    lab.write(`${KEPT}/identity.secret`, kept);
    expect(await agent.ask({ call: "useKeptIdentity" })).toBe(true);
    expect(
      (await agent.until((status) => isDone(status) && says("0123456789")(status))).state,
    ).toBe("done");
    expect(identity()).toBe(kept);
    expect(await agent.ask({ call: "useKeptIdentity" })).toBe(false);
  });

  test("an address that is taken away is a loss, and the phase waits for it again", async () => {
    lab.installStandIn();
    const agent = lab.startAgent();
    await agent.until(isDone);
    lab.setScenario({ networks: { [NETWORK]: [{ status: "ACCESS_DENIED" }] } });
    expect((await agent.until(isRetrying)).reason).toContain("waiting for an administrator");
    lab.setScenario({ networks: { [NETWORK]: AUTHORISED } });
    await agent.until(isDone);
  });

  test("other networks are joined and left by command, and stay over a restart of the agent", async () => {
    lab.installStandIn();
    lab.setScenario({
      networks: { [NETWORK]: AUTHORISED, [OTHER]: [{ status: "OK", addresses: ["10.1.1.1/24"] }] },
    });
    const first = lab.startAgent();
    await first.until(isDone);
    await first.ask({ call: "join", network: OTHER });
    await first.kill();
    const second = lab.startAgent();
    await second.until(isDone);
    const ids = async (): Promise<unknown[]> =>
      ((await second.ask({ call: "list" })) as { nwid: string }[]).map(({ nwid }) => nwid);
    expect(await ids()).toStrictEqual([NETWORK, OTHER]);
    await second.ask({ call: "leave", network: OTHER });
    expect(await ids()).toStrictEqual([NETWORK]);
    await expect(second.ask({ call: "leave", network: OTHER })).rejects.toThrow(
      "has not joined it",
    );
  });

  test("the network of the machine can be left by command, and is joined again by command", async () => {
    lab.installStandIn();
    const agent = lab.startAgent();
    await agent.until(isDone);
    await agent.ask({ call: "leave", network: NETWORK });
    expect((await agent.until(isRetrying)).reason).toContain("was left by command");
    expect(await agent.ask({ call: "list" })).toStrictEqual([]);
    await agent.ask({ call: "join", network: NETWORK });
    await agent.until(isDone);
  });

  test("a stop ends the daemon with all it started, and takes its link away", async () => {
    lab.installStandIn();
    const agent = lab.startAgent();
    const { reason } = await agent.until(isDone);
    const [name = ""] = reason.split(" ");
    await agent.ask({ call: "stop" });
    expect(lab.read("/sys/fs/cgroup/services/zerotier-one/cgroup.procs")).toBe("");
    expect(lab.run("ls", "/sys/class/net").split("\n")).not.toContain(name);
    expect(lab.servicePid()).toBe("");
  });

  test("what the daemon prints is in the log, and its file stays small", async () => {
    lab.installStandIn();
    const agent = lab.startAgent();
    await agent.until(isDone);
    await expect.poll(() => agent.log, RESPAWN).toContain("stand-in for zerotier-one");
    const flood = 'for i in 1 2 3 4 5 6 7 8; do head -c 60000 /dev/zero | tr "\\0" x >>"$0"; done';
    lab.run("sh", "-c", flood, LOG);
    const size = (): number => Number(lab.run("stat", "-c", "%s", LOG));
    await expect.poll(size, RESPAWN).toBeLessThan(256 * 1024);
  });
});
