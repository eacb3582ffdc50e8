// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are shell syntax
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { formatCompletion, SHELLS, type Shell } from "../../src/cli/completion.ts";

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "node0-completion-"));
  for (const shell of SHELLS) {
    writeFileSync(join(directory, shell), formatCompletion(shell, COMMANDS));
  }
  writeFileSync(join(directory, "inner.zsh"), ZSH_INNER);
  writeFileSync(join(directory, "outer.zsh"), ZSH_OUTER);
  writeFileSync(join(directory, "secret-file"), "");
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Prepares an interactive zsh so that it prints what it would offer, and then a mark. */
const ZSH_INNER = `
PS1='' PS2=''
autoload -Uz compinit && compinit -D -u
source ./zsh
zstyle ':completion:*' verbose yes
compadd() {
  local -a offered
  builtin compadd -A offered "$@"
  (( $#offered )) && print -rl -- "hit="$^offered
  builtin compadd "$@"
}
finish() { print -r -- "the-""end" }
comppostfuncs=(finish)
print -r -- "ready-""now"
`;

/** Types a line and a tab into that zsh. */
const ZSH_OUTER = `
zmodload zsh/zpty
zpty inner zsh -f -i
zpty -w inner 'source ./inner.zsh'
zpty -r inner output '*ready-now*'
zpty -w -n inner "$1"$'\\t'
zpty -r inner output '*the-end*'
print -r -- "$output"
zpty -d inner
`;

/** What the shell offers for a command line that ends at the cursor. */
const OFFERS: Readonly<Record<Shell, (line: string) => string[]>> = {
  bash(line) {
    const words = line.split(" ");
    const script = [
      "source ./bash",
      "complete -p node0 >/dev/null || exit 1",
      'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))',
      "_node0",
      '[[ ${#COMPREPLY[@]} -eq 0 ]] || printf "%s\\n" "${COMPREPLY[@]}"',
    ].join("\n");
    return lines(run("bash", ["--norc", "--noprofile", "-c", script, "bash", ...words]));
  },
  zsh(line) {
    const hits = lines(run("zsh", ["-f", "outer.zsh", line])).filter((text) =>
      text.includes("hit="),
    );
    return [...new Set(hits.map((text) => text.slice(text.indexOf("hit=") + 4).trim()))];
  },
  fish(line) {
    const script = 'source ./fish; complete -C "$argv[1]"';
    const offers = lines(run("fish", ["--no-config", "-c", script, line]));
    return offers.map((offer) => offer.split("\t")[0] ?? "");
  },
};

function run(program: string, args: readonly string[]): string {
  const env = { ...process.env, HOME: directory, XDG_CONFIG_HOME: directory, TERM: "dumb" };
  return execFileSync(program, args, { cwd: directory, encoding: "utf8", env, timeout: 20_000 });
}

const lines = (text: string) => text.split(/\r?\n/).filter((line) => line !== "");

/** Debian installs bash always, zsh and fish on request. */
function isInstalled(shell: Shell): boolean {
  const isThere = spawnSync(shell, ["-c", "true"]).status === 0;
  if (!isThere) console.log(`skipped: ${shell} is not installed (apt install ${shell})`);
  return isThere;
}

describe.each(SHELLS.map((shell) => [shell, isInstalled(shell)] as const))(
  "completion for %s",
  (shell, isThere) => {
    const it = test.skipIf(!isThere);
    const offers = (line: string) => OFFERS[shell](line);

    it("offers every command", () => {
      const names = offers("node0 ");

      expect(names).toEqual(expect.arrayContaining(COMMANDS.map(({ name }) => name)));
      expect(names).toEqual(expect.arrayContaining(["agent", "image"]));
    });

    it("offers the commands that begin with what is typed", () => {
      expect(offers("node0 re").toSorted()).toEqual(["reboot", "result"]);
    });

    it("offers the options of the command and those of every command", () => {
      expect(offers("node0 run --de")).toEqual(["--detach"]);
      expect(offers("node0 run --no-s")).toEqual(["--no-stream"]);
      expect(offers("node0 jobs --tim")).toEqual(["--timeout"]);
      expect(offers("node0 jobs --de")).toEqual([]);
    });

    it("offers the values an option can have", () => {
      expect(offers("node0 jobs --output ").toSorted()).toEqual(["json", "table", "yaml"]);
      expect(offers("node0 --output y")).toEqual(["yaml"]);
    });

    it("offers files where an option takes one", () => {
      expect(offers("node0 --password-file secr")).toEqual(["secret-file"]);
    });

    it("offers the words an operand can be", () => {
      expect(offers("node0 info d").toSorted()).toEqual(["disk", "dmi"]);
      expect(offers("node0 --host x info n")).toEqual(["nic"]);
      expect(offers("node0 completion ").toSorted()).toEqual(["bash", "fish", "zsh"]);
      expect(offers("node0 help pi")).toEqual(["ping"]);
      expect(offers("node0 call info.me")).toEqual(["info.mem"]);
    });

    it("offers no option of node0 to the program that is run", () => {
      expect(offers("node0 run -- ls --de")).toEqual([]);
    });
  },
);
