import { AgentError, errorCode } from "../../base/errors.ts";
import type { Client } from "../../client/client.ts";
import { formatEndpoint } from "../../client/errors.ts";
import type { Limits } from "../../client/limits.ts";
import { resultValue } from "../../client/result.ts";
import { EXIT } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";
import type { Invocation } from "../invocation.ts";

export const reboot = powerCommand("reboot", "core.reboot", "Restart the machine");

export const poweroff = powerCommand("poweroff", "core.poweroff", "Switch the machine off");

function powerCommand(name: string, command: string, summary: string): CliCommand {
  return {
    name,
    summary,
    options: [{ name: "yes", short: "y", help: "Do not ask" }],
    operands: [],
    details: [
      "Everything that runs on the machine is ended in order first. Asks for confirmation;\n" +
        "without a terminal to ask on, --yes is needed.",
    ],
    examples: [`node0 ${name}`, `node0 ${name} --yes`],
    async run(invocation) {
      const client = await invocation.connect();
      const where = formatEndpoint(client.endpoint);
      if (!(await isConfirmed(invocation, `${name} ${where}`))) return EXIT.failure;
      await orderPower(client, command, invocation.limits);
      await invocation.note(`${where}: ${name} has begun`);
      return EXIT.ok;
    },
  };
}

async function isConfirmed(invocation: Invocation, what: string): Promise<boolean> {
  if (invocation.input.flag("yes")) return true;
  if (!invocation.io.isInteractive) {
    throw new AgentError("E_CONFIRM", `Cannot ask whether to ${what}: no terminal, use --yes`);
  }
  const answer = await invocation.io.ask(`Really ${what}? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

/**
 * Sends the command and waits until it is obeyed. The result is sent on a best-effort basis: a machine
 * that is gone after it got the command has obeyed.
 *
 * @throws JobError when the node refuses; AgentError, see `Client.run`
 */
export async function orderPower(client: Client, command: string, limits: Limits): Promise<void> {
  let isSent = false;
  const onSubmitted = () => {
    isSent = true;
  };
  try {
    const options = { ...limits, patienceMs: 0, onSubmitted };
    const result = await client.run(command, {}, options);
    if (result.state !== "SUCCESS") resultValue(result);
  } catch (error) {
    const isGone = ["E_CONNECTION_LOST", "E_CONNECT"].includes(errorCode(error) ?? "");
    if (!isSent || !isGone) throw error;
  }
}
