import { setTimeout as sleep } from "node:timers/promises";
import { errorCode, errorText } from "../../base/errors.ts";
import { OperatorClient } from "../operator-client.ts";
import type { NodeRecord, Policy } from "../types.ts";
import { findNode, normalMac } from "./find-node.ts";
import { showAudit, showNode, showNodes } from "./show-nodes.ts";
import { type OperatorWords, readWords, usage } from "./words.ts";

const USAGE = `Usage: node0 controller nodes [list]
       node0 controller nodes show ID
       node0 controller nodes approve|reject|revoke ID... [--note TEXT]
       node0 controller nodes remove ID...
       node0 controller nodes register MAC... [--overlay-address ADDRESS]
       node0 controller policy [get | set manual|registered|overlay]
       node0 controller audit [--after N] [--limit N] [--follow]

An ID is that of a machine, its beginning, or one of its MAC addresses.

Which controller: --dir DIR, or --url URL --ca FILE --token-file FILE
Output:           -o table|json
`;

/** How often a followed audit log is asked for news. */
const FOLLOW_MS = 1000;

/** Entries asked for at a time. */
const AUDIT_PIECE = 500;

const POLICIES: readonly Policy[] = ["manual", "registered", "overlay"];

/** Where texts go; the real one writes to the process's streams. */
export interface OperatorIo {
  out(text: string): Promise<void>;
  err(text: string): Promise<void>;
  nowMs(): number;
}

interface Work {
  readonly client: OperatorClient;
  readonly words: OperatorWords;
  readonly io: OperatorIo;
  readonly operands: readonly string[];
}

/**
 * Runs `node0 controller nodes|policy|audit …` over the API of a controller.
 *
 * @param words What follows `node0 controller`.
 * @returns Exit code: 0, 1 when the work failed, 2 for wrong words, 141 when nobody reads the output.
 */
export async function runOperatorCommand(
  words: readonly string[],
  io: OperatorIo = openIo(),
): Promise<number> {
  try {
    const read = readWords(words);
    if (read === undefined) {
      await io.out(USAGE);
      return 0;
    }
    const [part = "", ...operands] = read.operands;
    const action = PARTS[part];
    if (action === undefined) throw usage(`Cannot find the command ${part || "(none)"}`);
    await action({ client: new OperatorClient(read.target), words: read, io, operands });
    return 0;
  } catch (error) {
    if (errorCode(error) === "EPIPE") return 141;
    const isUsage = errorCode(error) === "E_USAGE";
    await io.err(`node0: ${errorText(error)}\n${isUsage ? USAGE : ""}`);
    return isUsage ? 2 : 1;
  }
}

const PARTS: Readonly<Record<string, (work: Work) => Promise<void>>> = {
  nodes: runNodes,
  policy: runPolicy,
  audit: runAudit,
};

async function runNodes(work: Work): Promise<void> {
  const { client, words, io } = work;
  const [verb = "list", ...rest] = work.operands;
  switch (verb) {
    case "list": {
      if (rest.length > 0) throw usage(`Cannot use ${rest[0]}: expected nothing after list`);
      const nodes = await client.listNodes();
      await io.out(words.isJson ? toJson(nodes) : showNodes(nodes, io.nowMs()));
      return;
    }
    case "show": {
      if (rest.length !== 1) throw usage("Cannot show: expected one ID");
      const [node] = await resolve(work, rest);
      if (node !== undefined)
        await io.out(words.isJson ? toJson(node) : showNode(node, io.nowMs()));
      return;
    }
    case "approve":
    case "reject":
    case "revoke": {
      const decided: NodeRecord[] = [];
      for (const { id } of await resolve(work, rest)) {
        decided.push(await client[verb](id, words.note));
      }
      await tell(work, decided);
      return;
    }
    case "remove": {
      const nodes = await resolve(work, rest);
      for (const { id } of nodes) await client.remove(id);
      const text = nodes.map(({ id }) => `${id} removed\n`).join("");
      await io.out(words.isJson ? toJson(nodes) : text);
      return;
    }
    case "register": {
      if (rest.length === 0)
        throw usage("Cannot register: expected the MAC addresses of one machine");
      const { overlayAddress } = words;
      const node = await client.registerNode({
        macs: rest.map(normalMac),
        ...(overlayAddress === undefined ? {} : { overlayAddress }),
      });
      await tell(work, [node]);
      return;
    }
    default:
      throw usage(`Cannot find the command nodes ${verb}`);
  }
}

async function runPolicy({ client, words, io, operands }: Work): Promise<void> {
  const [verb = "get", wanted] = operands;
  if (verb === "set") {
    const policy = POLICIES.find((name) => name === wanted);
    if (policy === undefined || operands.length > 2) {
      throw usage(`Cannot set the policy: expected one of ${POLICIES.join(", ")}`);
    }
    await client.setPolicy(policy);
  } else if (verb !== "get" || wanted !== undefined) {
    throw usage(`Cannot find the command policy ${operands.join(" ")}`);
  }
  const policy = await client.policy();
  await io.out(words.isJson ? toJson({ policy }) : `${policy}\n`);
}

async function runAudit({ client, words, io, operands }: Work): Promise<void> {
  if (operands.length > 0) throw usage(`Cannot use ${operands[0]}: expected options only`);
  const { isJson, limit, follows } = words;
  let { after } = words;
  let left = limit;
  let isAway = false;
  let hasAnswered = false;
  while (left > 0) {
    try {
      const entries = await client.audit(after, Math.min(AUDIT_PIECE, left));
      hasAnswered = true;
      if (isAway) await io.err("node0: the controller is back\n");
      isAway = false;
      // A line each, so that a program can read them as they come.
      const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
      await io.out(isJson ? lines : showAudit(entries));
      after = entries.at(-1)?.sequence ?? after;
      left -= entries.length;
      if (entries.length > 0) continue;
    } catch (error) {
      // The first answer shows that the target is right; later on the controller may be restarting.
      if (!follows || !hasAnswered || errorCode(error) !== "E_CONTROLLER_UNREACHABLE") throw error;
      if (!isAway) await io.err("node0: the controller cannot be reached, trying on\n");
      isAway = true;
    }
    if (!follows) return;
    await sleep(FOLLOW_MS);
  }
}

/** All of them before anything is done: one that is not known changes nothing. */
async function resolve(work: Work, words: readonly string[]): Promise<readonly NodeRecord[]> {
  if (words.length === 0) throw usage("Cannot tell which machine: expected an ID");
  const nodes = await work.client.listNodes();
  return words.map((word) => findNode(nodes, word));
}

async function tell({ words, io }: Work, nodes: readonly NodeRecord[]): Promise<void> {
  const text = nodes.map(({ id, state }) => `${id} ${state}\n`).join("");
  await io.out(words.isJson ? toJson(nodes) : text);
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function openIo(): OperatorIo {
  const write = (stream: NodeJS.WriteStream, text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      stream.once("error", reject);
      stream.write(text, (error) => {
        stream.off("error", reject);
        if (error) reject(error);
        else resolve();
      });
    });
  return {
    out: (text) => write(process.stdout, text),
    err: (text) => write(process.stderr, text),
    nowMs: Date.now,
  };
}
