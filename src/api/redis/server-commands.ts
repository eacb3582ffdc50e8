import { matchesGlob } from "../../keyspace/glob.ts";
import { type Bytes, bytesOfText } from "../../resp/bytes.ts";
import { verbatim } from "../../resp/encode.ts";
import { encodeValue } from "../../resp/encode-value.ts";
import { type RedisCommand, redisCommand } from "../redis-command.ts";
import { refusal, word } from "./words.ts";

/** A section of INFO: its lines as names and values. */
export type InfoSection = Readonly<Record<string, string | number>>;

export interface ServerCommandOptions {
  /** Sections of INFO by their lower-case name, in order. */
  readonly sections: () => Readonly<Record<string, InfoSection>>;
  /** What CONFIG GET shows. */
  readonly settings: () => Readonly<Record<string, string>>;
}

export function serverCommands(options: ServerCommandOptions): RedisCommand[] {
  return [
    redisCommand({
      name: "info",
      syntax: "[section...]",
      arity: -1,
      flags: ["loading", "stale"],
      summary: "Figures of the endpoint",
      group: "server",
      run: (session, words) =>
        verbatim(infoText(options.sections(), words.slice(1)), session.protocol),
    }),
    redisCommand({
      name: "config",
      syntax: "GET pattern...",
      arity: -2,
      flags: ["admin"],
      summary: "Settings of the endpoint; they are set where the agent is started",
      group: "server",
      run: (session, words) => {
        const subcommand = word(words, 1).toUpperCase();
        if (subcommand !== "GET" || words.length < 3) {
          throw refusal(
            `ERR unknown subcommand or wrong number of arguments for '${word(words, 1)}'`,
          );
        }
        const patterns = words.slice(2).map((pattern) => pattern.toLowerCase());
        const found = Object.entries(options.settings()).filter(([name]) =>
          patterns.some((pattern) => matchesGlob(pattern, name)),
        );
        return encodeValue(new Map(found), session.protocol);
      },
    }),
  ];
}

const EVERYTHING: ReadonlySet<string> = new Set(["all", "default", "everything"]);

function infoText(sections: ReturnType<ServerCommandOptions["sections"]>, names: Bytes[]): Bytes {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const isAll = wanted.size === 0 || [...wanted].some((name) => EVERYTHING.has(name));
  const shown = Object.entries(sections).filter(([name]) => isAll || wanted.has(name));
  const texts = shown.map(([name, section]) => {
    const title = `# ${name.charAt(0).toUpperCase()}${name.slice(1)}\r\n`;
    const lines = Object.entries(section).map(([key, value]) => `${key}:${value}\r\n`);
    return title + lines.join("");
  });
  return bytesOfText(texts.join("\r\n"));
}
