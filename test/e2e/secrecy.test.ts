import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Machine } from "../../scripts/machine/machine.ts";
import type { SearchResult } from "../fixtures/secret-search.ts";
import { ChainLab } from "./support/chain-lab.ts";
import { runThere, searchMachine } from "./support/secrecy.ts";
import { BOOT_LIMIT_MS, call, exchange, openClient } from "./support.ts";

/** A busy host builds the image first, and searches for minutes. */
const LIMIT_MS = 900_000;
/** Is put everywhere by this test: where it is not found, a secret would not be found either. */
const CONTROL = `control-${randomBytes(15).toString("hex")}`;
const WRONG = `wrong-${randomBytes(15).toString("hex")}`;
/** What the agent is known to log about the wrong password. */
const LOGGED = "authentication failed";

let lab: ChainLab;
let machine: Machine;
let result: SearchResult;
let passwords: { readonly first: string; readonly second: string };
let state: { readonly cgroup: string; readonly dumps: string; readonly swaps: string };

beforeAll(async () => {
  lab = await ChainLab.open("registered");
  await lab.createPrivate("--approve");
  machine = await lab.boot({ append: "debug" });
  const first = lab.password;
  await machine.waitPong(first, BOOT_LIMIT_MS);
  const client = openClient(machine, first);
  await machine.waitSerial(/^\[.*\] ssh +done/m, { timeoutMs: BOOT_LIMIT_MS });
  await client.set("control", CONTROL);
  await useClients(first);
  const second = randomBytes(15).toString("hex");
  await changePassword(second);
  await call(client, "core.reload");
  client.disconnect();
  await useClients(second);
  passwords = { first, second };
  const target = lab.sshTarget(machine);
  await runThere(target, "sh -s", PLACE_CONTROL);
  state = JSON.parse(await runThere(target, "sh -s", READ_STATE)) as typeof state;
  result = await searchMachine(target, needles());
  console.log(JSON.stringify({ ...result.searched, memory: result.found["memory of the agent"] }));
}, LIMIT_MS);

afterAll(async () => {
  await machine?.stop();
  await lab?.close();
});

/** All ways to present a password, right and wrong, and a few commands. */
async function useClients(password: string): Promise<void> {
  const answers = await exchange(machine.port, [
    `AUTH ${WRONG}`,
    `HELLO 3 AUTH default ${WRONG}`,
    `AUTH default ${password}`,
    `AUTH "${password}"`,
    "PING",
  ]);
  expect(answers.map((answer) => answer.slice(0, 10))).toEqual([
    "-WRONGPASS",
    "-WRONGPASS",
    "+OK",
    "+OK",
    "+PONG",
  ]);
  expect((await exchange(machine.port, [`HELLO 2 AUTH default ${password}`]))[0]).toMatch(/^[*]/);
  const client = openClient(machine, password);
  await call(client, "core.system", { name: "uname", args: ["-a"] });
  expect(JSON.stringify(await call(client, "config.get"))).not.toContain(password);
  client.disconnect();
}

async function changePassword(password: string): Promise<void> {
  const file = join(lab.controller.directory, "next-password");
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  await lab.editPrivate("cp", file, "redis/password");
}

const PLACE_CONTROL = `set -e
echo ${CONTROL} >/tmp/control
echo ${CONTROL} >/run/control
echo ${CONTROL} >/dev/console
echo ${CONTROL} >/dev/kmsg
CONTROL=${CONTROL} setsid sh -c 'while sleep 60; do :; done' ${CONTROL} </dev/null >/dev/null 2>&1 &
`;

const READ_STATE = `set -e
pid=$(sed -n 's/.*"pid": *\\([0-9]*\\).*/\\1/p' /run/node0/services/gocryptfs.json)
printf '{"cgroup":"%s","dumps":"%s","swaps":"%s"}' \\
  "$(cat /proc/$pid/cgroup)" "$(cat /proc/$pid/coredump_filter)" "$(sed 1d /proc/swaps)"
`;

/** Everything but the control and what is logged is secret. */
function needles(): Record<string, Buffer> {
  const key = Buffer.from(lab.key, "base64");
  expect(key.length).toBe(32);
  return {
    control: Buffer.from(CONTROL),
    logged: Buffer.from(LOGGED),
    "key as text": Buffer.from(lab.key),
    "key as bytes": key,
    "key as hexadecimal": Buffer.from(key.toString("hex")),
    "first password": Buffer.from(passwords.first),
    "second password": Buffer.from(passwords.second),
    "wrong password": Buffer.from(WRONG),
  };
}

/** Places with a secret. */
const leaks = (): string[] =>
  Object.entries(result.found)
    .filter(([place]) => place !== "memory of the agent")
    .flatMap(([place, found]) =>
      Object.keys(found)
        .filter((name) => name !== "control" && name !== "logged")
        .map((name) => `${place}: ${name}`),
    );

test("key and passwords are in no log, state file, command line, environment and heap", () => {
  expect(leaks()).toEqual([]);
});

test("the search finds what is there, in each of these places", () => {
  const places = Object.entries(result.found)
    .filter(([, { control = 0 }]) => control > 0)
    .map(([place]) => place.replace(/\d+/, "N"));
  expect(new Set(places)).toEqual(
    new Set([
      "/tmp/control",
      "/run/control",
      "/proc/N/cmdline",
      "/proc/N/environ",
      "log of the kernel",
      "memory of the agent",
      "heap snapshot of the agent",
    ]),
  );
  expect(result.found["/run/node0/agent.log"]?.["logged"]).toBeGreaterThanOrEqual(4);
});

test("key and passwords are not on the serial line", () => {
  const serial = Buffer.from(machine.serial());
  const found = Object.entries(needles()).filter(([, bytes]) => serial.includes(bytes));
  expect(found.map(([name]) => name)).toEqual(["control"]);
});

test("key and passwords are neither in the log of the controller nor in plain in its files", () => {
  const files = readdirSync(lab.controller.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "next-password")
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  const all = Buffer.concat([Buffer.from(lab.controller.output), ...files]);
  expect(all.includes("Controller serves")).toBe(true);
  expect(all.includes(lab.id)).toBe(true);
  const found = Object.entries(needles()).filter(([, bytes]) => all.includes(bytes));
  expect(found.map(([name]) => name)).toEqual([]);
});

test("gocryptfs, which has the key, is in a cgroup of its own and out of dumps and swap", () => {
  expect(state).toEqual({ cgroup: "0::/services/gocryptfs", dumps: "00000000", swaps: "" });
});
