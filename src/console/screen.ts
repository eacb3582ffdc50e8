import type { PhaseStatus } from "../sequencer/types.ts";
import { printable } from "./text.ts";

/** Everything the local screen shows. */
export interface ScreenContent {
  readonly version: string;
  readonly hostname: string;
  readonly phases: readonly PhaseStatus[];
  /** "eth0 10.0.2.15/24", one per address. */
  readonly addresses: readonly string[];
  /** Network addresses of the endpoint; none while it is not open. */
  readonly endpoints: readonly string[];
  /** Problems of kernel command line and configuration. */
  readonly problems: readonly string[];
}

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const CLEAR = "\u001b[2J\u001b[H";

/** The screen as text with the codes of a VT: cleared, then at most `rows` lines. */
export function renderScreen(content: ScreenContent, size: ScreenSize): string {
  const lines = [
    `node0 ${content.version}   ${content.hostname}`,
    "",
    ...content.phases.map(phaseLine),
    "",
    ...list("address", content.addresses, "none yet"),
    ...connectLines(content),
    ...content.problems.map((problem) => `note      ${problem}`),
  ];
  const fitting = lines
    .slice(0, size.rows - 1)
    .map((line) => printable(line).slice(0, size.columns - 1));
  return CLEAR + fitting.join("\r\n");
}

function phaseLine(status: PhaseStatus): string {
  const attempts = status.attempts > 1 ? ` (attempt ${status.attempts})` : "";
  return `  ${status.phase.padEnd(14)} ${status.state.padEnd(8)} ${status.reason}${attempts}`;
}

function connectLines({ endpoints, addresses }: ScreenContent): string[] {
  if (endpoints.length === 0) return ["connect   on this machine only: /run/node0/redis.sock"];
  const [first = ""] = addresses.map((address) => address.replace(/^\S+ |\/\d+$/g, ""));
  const port = endpoints[0]?.split(":").at(-1) ?? "";
  return [
    ...list("endpoint", endpoints, ""),
    `connect   redis-cli -h ${first} -p ${port} --askpass core.ping`,
  ];
}

function list(label: string, values: readonly string[], whenEmpty: string): string[] {
  const shown = values.length === 0 ? [whenEmpty] : values;
  return shown.map((value, at) => `${(at === 0 ? label : "").padEnd(9)} ${value}`);
}
