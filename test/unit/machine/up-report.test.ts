import { expect, test } from "vitest";
import type { UpRecord } from "../../../scripts/machine/up-record.ts";
import { formatReport } from "../../../scripts/machine/up-report.ts";

const RECORD: UpRecord = {
  redis: { host: "127.0.0.1", port: 4000, passwordFile: "/co/.node0/password" },
  ssh: null,
  controller: null,
  serialLog: "/co/.node0/serial.log",
  qemuPid: 1,
  accel: "tcg",
  accelReason: "",
  timeline: [],
  image: { kernelBytes: 1, initrdBytes: 2 },
  run: { directory: "/run", processes: [] },
};
const PLACE = { root: "/co", cwd: "/co", sshMs: null };
const OPTIONS = { stateDirectory: null, isForeground: false };

test("ends with lines that can be typed where the reader is", () => {
  const text = formatReport(RECORD, { ...PLACE, options: OPTIONS, answeredMs: 5480 });
  expect(text.split("\n")).toEqual([
    "up: answered 5.5 s after start",
    "",
    "  REDISCLI_AUTH=$(cat .node0/password) redis-cli -p 4000 core.ping",
    "  bin/node0 status",
    "  tail -f .node0/serial.log",
    "  scripts/down    # stops the machine",
    "",
  ]);
});

test("names key, host key and page where the machine has a controller", () => {
  const access = "/co/.node0/private/machine/access";
  const ssh = {
    host: "127.0.0.1",
    port: 4022,
    user: "root",
    identityFile: `${access}/id_ed25519`,
    knownHostsFile: `${access}/known_hosts`,
    hostKeyAlias: "abc123",
  };
  const controller = {
    url: "https://127.0.0.1:4443",
    caFile: "/co/.node0/controller/ca.crt",
    page: "https://127.0.0.1:4443/",
    tokenFile: "/co/.node0/controller/operator-token",
    node: "abc123",
  };
  const record = { ...RECORD, ssh, controller };
  const place = { ...PLACE, answeredMs: 5480, sshMs: 6120, options: OPTIONS };
  const lines = formatReport(record, place).split("\n");
  expect(lines[0]).toBe("up: answered 5.5 s after start, sshd 6.1 s");
  expect(lines).toContain(
    "  ssh -p 4022 -i .node0/private/machine/access/id_ed25519 -o IdentitiesOnly=yes " +
      "-o UserKnownHostsFile=.node0/private/machine/access/known_hosts -o HostKeyAlias=abc123 root@127.0.0.1",
  );
  expect(lines).toContain(
    "  https://127.0.0.1:4443/    # machines; the token: cat .node0/controller/operator-token",
  );
});

test("names the directory of a run that is kept elsewhere", () => {
  const options = { ...OPTIONS, stateDirectory: "/co/second" };
  const text = formatReport(RECORD, { ...PLACE, cwd: "/co/src", options, answeredMs: 1 });
  expect(text).toContain("../bin/node0 status --context ../second/context.json\n");
  expect(text).toContain("../scripts/down --state ../second ");
});

test("says that a machine without network card cannot be reached", () => {
  const record = { ...RECORD, redis: null };
  const text = formatReport(record, { ...PLACE, options: OPTIONS, answeredMs: null });
  expect(text).toContain("not reachable");
  expect(text).not.toContain("redis-cli");
});
