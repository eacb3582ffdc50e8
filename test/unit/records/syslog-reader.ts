/** One syslog message, taken apart strictly by RFC 5424. */
export interface SyslogMessage {
  readonly priority: number;
  readonly time: string;
  readonly host: string;
  readonly app: string;
  readonly process: string;
  readonly id: string;
  readonly data: Readonly<Record<string, string>>;
  readonly text: string;
}

const HEADER =
  /^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) (?=\[)/;
const DATA = /^\[([^\s="\]]{1,32})((?: [^\s="\]]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\](?: |$)/;

/** Messages framed by octet counting (RFC 6587, 3.4.1). Throws for anything that is none. */
export function readSyslog(bytes: Buffer): SyslogMessage[] {
  const messages: SyslogMessage[] = [];
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(" ", at);
    const count = bytes.toString("latin1", at, blank);
    if (!/^[1-9]\d*$/.test(count)) throw new Error(`no length: ${count}`);
    const end = blank + 1 + Number(count);
    if (end > bytes.length) throw new Error("a message is cut off");
    messages.push(
      parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(blank + 1, end))),
    );
    at = end;
  }
  return messages;
}

function parse(line: string): SyslogMessage {
  const header = HEADER.exec(line);
  if (header === null) throw new Error(`no header: ${line}`);
  const rest = line.slice(header[0].length);
  const data = DATA.exec(rest);
  if (data === null) throw new Error(`no structured data: ${rest}`);
  const [, priority = "", time = "", host = "", app = "", process = "", id = ""] = header;
  const pairs = [...(data[2] ?? "").matchAll(/ ([^=]+)="((?:[^"\\]|\\.)*)"/g)];
  return {
    priority: Number(priority),
    time,
    host,
    app,
    process,
    id,
    data: Object.fromEntries(
      pairs.map(([, name = "", value = ""]) => [name, value.replaceAll(/\\(["\\\]])/g, "$1")]),
    ),
    text: rest.slice(data[0].length),
  };
}
