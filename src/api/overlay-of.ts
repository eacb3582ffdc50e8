import { AgentError } from "../base/errors.ts";
import { CommandError } from "../command/command.ts";
import { NETWORK_ID_FORM, parseNetworkId } from "../network/overlay/ids.ts";
import type { OverlayControl } from "../network/overlay/types.ts";
import type { Services } from "./services.ts";

/** What the wrapped program ends with whatever went wrong (wire protocol 5.2: 1000 + status). */
const PROGRAM_FAILED = 1001;

/**
 * Asks the overlay on behalf of a `zerotier.*` command.
 *
 * @throws CommandError 503 on a machine without overlay, 1001 when the ZeroTier service refuses or
 *   does not answer.
 */
export async function askOverlay<T>(
  services: Services,
  ask: (overlay: OverlayControl) => Promise<T>,
): Promise<T> {
  if (services.overlay === null) {
    const why = "no overlay on this machine, expected zerotier= on the kernel command line";
    throw new CommandError(503, `Cannot ask the ZeroTier service: ${why}`);
  }
  try {
    return await ask(services.overlay);
  } catch (error) {
    if (error instanceof AgentError) throw new CommandError(PROGRAM_FAILED, error.message, error);
    throw error;
  }
}

/** The id in lower case. @throws CommandError 400. */
export function networkIdOf(text: string): string {
  const id = parseNetworkId(text);
  if (id !== undefined) return id;
  const seen = JSON.stringify(text).slice(0, 80);
  throw new CommandError(400, `Cannot use network: ${seen} seen, expected ${NETWORK_ID_FORM}`);
}
