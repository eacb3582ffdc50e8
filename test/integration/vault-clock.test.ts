import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { TlsReach } from "../../src/network/tls-reach.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { linuxFiles } from "../../src/sys/files-linux.ts";
import { ClockedReach } from "../../src/vault/clocked-reach.ts";
import { readControllerTime } from "../../src/vault/controller-time.ts";
import { NodeClock } from "../../src/vault/node-clock.ts";
import { QuietLog } from "../fakes/quiet-log.ts";
import { type DatedCa, type DatedIssue, makeDatedCa } from "./support/dated-ca.ts";
import { openVaultServer, type VaultServer } from "./support/vault-server.ts";

/** OpenSSL looks at the real clock, so certificates are moved instead of the clock. */
const NOW = Date.now();
const YEAR = 365 * 24 * 3600 * 1000;
const directory = mkdtempSync(join(tmpdir(), "node0-clock-"));
const caFile = join(directory, "ca.pem");
const servers: VaultServer[] = [];
let ours: DatedCa;
let set: number[];
let log: QuietLog;

beforeAll(async () => {
  ours = await makeDatedCa();
  writeFileSync(caFile, ours.certificate);
});

beforeEach(() => {
  set = [];
  log = new QuietLog();
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A controller whose time is `date`. @returns Its URL. */
async function serve(date: Date, issue: Partial<DatedIssue> = {}, ca = ours): Promise<string> {
  const server = await openVaultServer({
    ca,
    identity: await ca.issue({ use: "server", name: "127.0.0.1", ...issue }),
    handler: (_request, response) => {
      response.setHeader("date", date.toUTCString());
      response.end("{}");
    },
  });
  servers.push(server);
  return server.url;
}

const { signal } = new AbortController();
const parts = { clock: systemClock, files: linuxFiles, signal };
const timeOf = (url: string) =>
  readControllerTime({ controller: { url, ca: caFile }, limitMs: 2000, ...parts });

async function reach(url: string, builtAtMs: number): Promise<string | undefined> {
  const controllers = [{ url, ca: caFile }];
  const setWallMs = async (ms: number): Promise<void> => {
    set.push(ms);
  };
  const clocked = new ClockedReach({
    ...{ controllers, clock: systemClock, files: linuxFiles, log },
    reach: new TlsReach({ controllers, probes: [], files: linuxFiles }),
    nodeClock: new NodeClock({ log, wallMs: Date.now, setWallMs, builtAtMs }),
  });
  const [result] = await clocked.try({ limitMs: 2000, signal });
  return result?.reason;
}

test("a clock before the dates of the certificate is set to the time of the controller", async () => {
  const date = new Date("2101-02-03T04:05:06Z");
  const url = await serve(date, { from: new Date("2100-01-01"), to: new Date("2110-01-01") });
  // The clock of this test does not move, so the strict check goes on failing: it alone decides.
  expect(await reach(url, NOW)).toBe("certificate is not valid yet, or the clock is wrong");
  expect(set).toEqual([date.getTime()]);
});

test("a clock years after the software is set back when the certificate has expired", async () => {
  const date = new Date("2010-02-03T04:05:06Z");
  const url = await serve(date, { from: new Date("2005-01-01"), to: new Date("2012-01-01") });
  await reach(url, Date.UTC(2009, 0, 1));
  expect(set).toEqual([date.getTime()]);
});

test("a clock that may be right is not set back for an expired certificate", async () => {
  const date = new Date(NOW - YEAR);
  const url = await serve(date, { to: new Date(NOW - YEAR / 2) });
  expect(await reach(url, NOW - 2 * YEAR)).toBe("certificate has expired, or the clock is wrong");
  expect(set).toEqual([]);
  expect(log.lines.map(([, message]) => message)).toEqual(["clock is not set back"]);
});

test("no clock goes to a time before the software was made", async () => {
  const url = await serve(new Date("2006-01-01"), {
    from: new Date("2005-01-01"),
    to: new Date("2012-01-01"),
  });
  await reach(url, Date.UTC(2009, 0, 1));
  expect(set).toEqual([]);
});

test("a time outside the dates of the certificate is not believed", async () => {
  const url = await serve(new Date("2120-01-01"), {
    from: new Date("2100-01-01"),
    to: new Date("2110-01-01"),
  });
  expect(await timeOf(url)).toBeUndefined();
});

test("nobody but a server of the CA, under the name of the URL, is asked for the time", async () => {
  const date = new Date("2105-01-01");
  const dates = { from: new Date("2100-01-01"), to: new Date("2110-01-01") };
  expect(await timeOf(await serve(date, dates))).toBe(date.getTime());
  expect(await timeOf(await serve(date, { ...dates, name: "other.example" }))).toBeUndefined();
  expect(await timeOf(await serve(date, { ...dates, use: "client" }))).toBeUndefined();
  const foreign = await makeDatedCa();
  expect(await timeOf(await serve(date, dates, foreign))).toBeUndefined();
  expect(servers.map(({ asked }) => asked.length)).toEqual([1, 0, 0, 0]);
});

test("a controller that says nothing is given up after the limit", async () => {
  const url = await serve(new Date());
  for (const server of servers) server.handler = () => {};
  const controller = { url, ca: caFile };
  expect(await readControllerTime({ controller, ...parts, limitMs: 200 })).toBeUndefined();
  await expect.poll(() => servers[0]?.connections()).toBe(0);
});
