import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Client, JobResult } from "../../src/client/client.ts";
import { JobError } from "../../src/client/errors.ts";
import { COMMAND_HELP } from "../../src/client/generated/help.ts";
import {
  type ContractCommand,
  readContract,
  shapeFaults,
  wrongValues,
} from "../fixtures/contract.ts";
import { diskCalls, HARMLESS_CALLS } from "../fixtures/contract-calls.ts";
import { ContractAgent, missingForContract } from "./support/contract-agent.ts";
import { DiskLab, missingForDisks } from "./support/loop-disk.ts";

/** Families of the wire protocol that this node does not have yet: containers and machines. */
const OPEN_FAMILIES = ["corex", "kvm"];

const CONTRACT = readContract();
const COMMANDS = CONTRACT.filter(({ family }) => !OPEN_FAMILIES.includes(family));
const OPEN = CONTRACT.filter(({ family }) => OPEN_FAMILIES.includes(family));

const missing = missingForContract();
const noDisks = missingForDisks();
if (noDisks !== undefined) console.log(`disks of the contract are skipped: ${noDisks}`);
if (missing !== undefined) console.log(`contract is skipped: ${missing}`);

interface Documents {
  readonly summary: string;
  readonly arguments: readonly Documented[];
}

interface Documented {
  readonly name: string;
  readonly isRequired: boolean;
}

describe.skipIf(missing !== undefined)("the commands of the wire protocol", () => {
  const agent = new ContractAgent();
  let client: Client;
  let documents: Map<string, Documents>;

  beforeAll(async () => {
    client = await agent.start();
    documents = await readDocuments(agent.socket);
  });
  afterAll(async () => {
    client?.close();
    await agent.stop();
  });

  /** Over the old flow, which tells state, level and code apart. */
  const run = (name: string, args: unknown) => client.run(name, args, { timeoutMs: 20_000 });

  test("every command of these families exists", () => {
    expect(COMMANDS.length).toBeGreaterThan(110);
    const absent = COMMANDS.map(({ name }) => name).filter((name) => !documents.has(name));
    expect(absent).toEqual([]);
  });

  test("containers and machines are still open: their commands are unknown", async () => {
    expect(OPEN.length).toBe(41);
    for (const { name } of OPEN)
      expect(await run(name, {})).toMatchObject({ state: "UNKNOWN_CMD" });
  });

  test("every command can be called in its direct form", async () => {
    const faults: string[] = [];
    for (const { name, result } of COMMANDS) {
      if (ENDS_THE_NODE.includes(name)) continue;
      // What an argument of this kind is refused with does not matter here: the command is known.
      const outcome = await client
        .call(name, { node0_unknown: 1 }, { timeoutMs: 20_000 })
        .catch((error: unknown) => error);
      const isKnown = outcome instanceof JobError || (outcome as JobResult).command === name;
      if (!isKnown) faults.push(`${name} (level ${result.level}): ${String(outcome)}`);
    }
    expect(faults).toEqual([]);
  });

  test("the documented arguments are there, and no others are required", () => {
    const faults = COMMANDS.flatMap((command) => {
      const known = documents.get(command.name)?.arguments ?? [];
      const top = command.arguments.filter(({ name }) => !name.includes("."));
      const absent = top.filter(({ name }) => !known.some((one) => one.name === name));
      const surplus = known.filter(
        ({ name, isRequired }) =>
          isRequired && !top.some((one) => one.name === name && one.required),
      );
      return [
        ...absent.map(({ name }) => `${command.name}: ${name} is absent`),
        ...surplus.map(({ name }) => `${command.name}: ${name} is required`),
      ];
    });
    expect(faults).toEqual([]);
  });

  test("COMMAND DOCS says what the help of the tool says", () => {
    const ofHelp = Object.entries(COMMAND_HELP).map(([name, { summary, arguments: all }]) => {
      const top = all.filter(({ name: path }) => !/[.[]/.test(path));
      const args = top.map(({ name: member, isRequired }) => ({ name: member, isRequired }));
      return [name, { summary, arguments: args }] as const;
    });
    const ofNode = ofHelp.map(([name]) => [name, documents.get(name)] as const);
    expect(Object.fromEntries(ofNode)).toEqual(Object.fromEntries(ofHelp));
  });

  test("each wrong type of each argument is refused with the code of the protocol", async () => {
    const faults: string[] = [];
    for (const command of COMMANDS) {
      for (const argument of command.arguments) {
        for (const wrong of wrongValues(argument.type)) {
          // Extensions take the text of any value (wire protocol 12), and `true` is a program.
          if (command.name === "bash" && argument.name === "script" && wrong === true) continue;
          const args = withMember(harmless(command), argument.name, wrong);
          const fault = refusalFault(command, await run(command.name, args));
          if (fault !== "") faults.push(`${command.name} ${JSON.stringify(args)}: ${fault}`);
        }
      }
    }
    expect(faults).toEqual([]);
  });

  test("null equals absent, and members that nobody knows are ignored", async () => {
    const faults: string[] = [];
    for (const command of COMMANDS) {
      if (command.arguments.length === 0) continue;
      const nulls = Object.fromEntries(command.arguments.map(({ name }) => [name, null]));
      const outcome = async (args: unknown): Promise<string> => {
        const result = await run(command.name, args);
        const undo = UNDO[command.name];
        if (undo !== undefined && result.state === "SUCCESS") await run(undo, args);
        return outcomeOf(result);
      };
      const bare = await outcome({});
      const others = [nulls, { node0_unknown: { x: 1 } }, { ...nulls, node0_unknown: 5 }];
      for (const args of others) {
        const seen = await outcome(args);
        if (seen === bare) continue;
        faults.push(`${command.name} ${JSON.stringify(args)}: ${seen}, not ${bare}`);
      }
    }
    expect(faults).toEqual([]);
  });

  test("a command that reads its arguments fails when there are none", async () => {
    const faults: string[] = [];
    for (const command of COMMANDS) {
      if (command.arguments.length === 0) continue;
      const seen = outcomeOf(await run(command.name, null));
      // The commands of the overlay are no programs here: they fail as built-ins do.
      const isProgram = command.badArguments === "empty" && command.family !== "zerotier";
      const wanted = isProgram ? "ERROR 0 level 0" : "ERROR 500 level 20";
      if (seen !== wanted) faults.push(`${command.name} without arguments: ${seen}, not ${wanted}`);
    }
    expect(faults).toEqual([]);
  });

  for (const { name, result } of COMMANDS) {
    const call = HARMLESS_CALLS[name];
    if (call === undefined) continue;
    test(`${name} returns the documented shape`, async () => {
      const args = await call({ client, directory: agent.directory });
      expectShape(name, result, await run(name, args));
    });
  }

  test.skipIf(noDisks !== undefined)("commands of disks return the documented shapes", async () => {
    const disks = new DiskLab();
    try {
      const [parted, formatted, added] = [disks.disk(128), disks.disk(256), disks.disk(256)];
      const mountpoint = join(agent.directory, "mounted");
      mkdirSync(mountpoint);
      for (const [name, args] of diskCalls({ parted, formatted, added, mountpoint })) {
        const command = COMMANDS.find((one) => one.name === name);
        if (command === undefined) throw new Error(`${name} is not in the contract`);
        expectShape(name, command.result, await run(name, args));
      }
    } finally {
      // What is still mounted in there would keep a disk in use.
      await run("disk.umount", { source: join(agent.directory, "mounted") });
      disks.close();
    }
  });
});

/** Fails unless a command has succeeded with a value of its shape. */
function expectShape(
  name: string,
  { level, shape }: ContractCommand["result"],
  outcome: JobResult,
): void {
  const { state, data, streams } = outcome;
  const why = state === "SUCCESS" ? "" : data || streams?.[1];
  const seen = { name, state, level: outcome.level, why };
  expect(seen).toEqual({ name, state: "SUCCESS", level, why: "" });
  if (shape !== undefined) expect(shapeFaults(shape, JSON.parse(data), name)).toEqual([]);
}

/** Known by their documents alone. */
const ENDS_THE_NODE = ["core.reboot", "core.poweroff"];

/** What takes back a command that succeeds once only. */
const UNDO: Readonly<Record<string, string>> = { "nft.open_port": "nft.drop_port" };

/** Arguments whose right types name nothing that exists, so that a command that takes them fails. */
function harmless(command: ContractCommand): Record<string, unknown> {
  let args: Record<string, unknown> = {};
  for (const { name, type, required } of command.arguments) {
    if (required) args = withMember(args, name, HARMLESS[type]);
  }
  return args;
}

const HARMLESS: Readonly<Record<string, unknown>> = {
  string: "/node0-none",
  integer: 0,
  boolean: false,
  object: {},
  "string|integer": "0",
  "array<string>": ["/node0-none"],
};

/** A copy with one member set; `a.b` is member `b` of member `a`. */
function withMember(
  args: Readonly<Record<string, unknown>>,
  path: string,
  value: unknown,
): Record<string, unknown> {
  const [first = "", ...rest] = path.split(".");
  if (rest.length === 0) return { ...args, [first]: value };
  const inner = (args[first] ?? {}) as Record<string, unknown>;
  return { ...args, [first]: withMember(inner, rest.join("."), value) };
}

/** Empty when a result is the refusal the protocol wants. */
function refusalFault({ badArguments }: ContractCommand, result: JobResult): string {
  const seen = outcomeOf(result);
  // A program gets no arguments then, and fails in its own way.
  if (badArguments === "empty") return result.state === "ERROR" ? "" : seen;
  const wanted = `ERROR ${badArguments} level 20`;
  return seen === wanted ? "" : `${seen}, not ${wanted}`;
}

const outcomeOf = ({ state, code, level }: JobResult): string => `${state} ${code} level ${level}`;

/** Arguments of every command by `COMMAND DOCS`. */
async function readDocuments(path: string): Promise<Map<string, Documents>> {
  const { Redis } = await import("ioredis");
  const redis = new Redis({ path });
  try {
    const docs = (await redis.call("COMMAND", "DOCS")) as unknown[];
    return new Map(
      pairs(docs).map(([name, doc]) => [
        String(name),
        { summary: String(member(doc, "summary")), arguments: argumentsOf(doc) },
      ]),
    );
  } finally {
    redis.disconnect();
  }
}

function argumentsOf(doc: unknown): Documented[] {
  const list = (member(doc, "arguments") ?? []) as unknown[];
  const wrapper = list.find((one) => member(one, "name") === "arguments");
  return ((member(wrapper, "arguments") ?? []) as unknown[]).map((one) => ({
    name: String(member(one, "name")),
    isRequired: !((member(one, "flags") ?? []) as unknown[]).includes("optional"),
  }));
}

const member = (flat: unknown, name: string): unknown =>
  pairs((flat ?? []) as unknown[]).find(([key]) => key === name)?.[1];

/** RESP2 sends maps as flat lists. */
function pairs(flat: readonly unknown[]): [unknown, unknown][] {
  return flat.flatMap((key, index) => (index % 2 === 0 ? [[key, flat[index + 1]]] : []));
}
