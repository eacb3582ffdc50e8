import type { Core } from "./agent-core.ts";
import type { PasswordControl } from "./api/services.ts";
import { errorText } from "./base/errors.ts";
import type { LinuxMachine } from "./boot/linux-machine.ts";
import type { PasswordSource } from "./boot/password-source.ts";

/** What `core.reload` does. Never rejects: each part is tried, and what failed is told. */
export async function reload(parts: {
  core: Core;
  machine: LinuxMachine;
  source: PasswordSource;
  /** Times the password has changed. */
  changes: () => number;
}): ReturnType<PasswordControl["reload"]> {
  const { core, machine, source, changes } = parts;
  const problems: string[] = [];
  const told = (error: unknown): undefined => void problems.push(errorText(error));
  const before = changes();
  const isRenewed = (await machine.renew().catch(told)) ?? false;
  const { origin, problems: unread } = await source.reload();
  problems.push(...(await reloadAccess(core, machine)));
  await machine.ssh.reload().catch(told);
  return { origin, isChanged: changes() !== before, isRenewed, problems: [...problems, ...unread] };
}

/** Users and certificate of the endpoint; the first users let the network in as the first password does. */
export async function reloadAccess(
  { endpoint, log }: Core,
  machine: LinuxMachine,
): Promise<readonly string[]> {
  const wasClosed = !endpoint.hasPassword;
  const problems = await endpoint.reload();
  if (wasClosed && endpoint.hasPassword) {
    machine.onPassword().catch((error: unknown) => {
      log.error("endpoint cannot be opened", { reason: errorText(error) });
    });
  }
  return problems;
}
