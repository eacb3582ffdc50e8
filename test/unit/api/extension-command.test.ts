import { describe, expect, test } from "vitest";
import { extensionCommand } from "../../../src/api/extension-command.ts";
import { toExecutable } from "../../../src/api/registry.ts";
import type { Services } from "../../../src/api/services.ts";
import type { StartupExtension } from "../../../src/startup/types.ts";

const extension = (over: Partial<StartupExtension> = {}): StartupExtension => ({
  name: "store.status",
  place: "x.toml:1",
  binary: "storectl",
  args: ["status", "--", "{name}", "{name}={count}", "{stdin}"],
  cwd: "/srv",
  env: { LANG: "C" },
  access: "operate",
  ...over,
});

function build(over: Partial<StartupExtension>, args: unknown) {
  const executable = toExecutable(extensionCommand(extension(over)), {} as Services);
  if (executable.kind !== "process") throw new Error("no program");
  return executable.build(args);
}

test("an extension is a command that documents its places", () => {
  const command = extensionCommand(extension());
  expect(command).toMatchObject({
    kind: "process",
    name: "store.status",
    access: "operate",
    summary: 'Runs storectl "status" "--" "{name}" "{name}={count}" "{stdin}"',
  });
  expect(Object.keys(command.args?.properties ?? {})).toEqual(["name", "count", "stdin"]);
});

describe("whatever is given stays within its argument", () => {
  test.each([
    ["a command", "$(reboot); `x` & |", "$(reboot); `x` & |"],
    ["quotes", `"'\\`, `"'\\`],
    ["line ends", "a\nb\0", "a\nb\0"],
    ["an option", "--force", "--force"],
    ["another place", "{count}{stdin}", "{count}{stdin}"],
    ["patterns of a replacement", "$& $1 $$", "$& $1 $$"],
    ["a million", 1_000_000, "1e+06"],
    ["a small number", 0.00001, "1e-05"],
    ["null", null, "<nil>"],
    ["a list", [1, "a b", null], "[1 a b <nil>]"],
    ["an object", { b: 1, a: "{count}" }, "map[a:{count} b:1]"],
    ["true", true, "true"],
  ])("%s", (_, name, wanted) => {
    const spec = build({}, { name, count: 2, stdin: "in" });
    expect(spec).toEqual({
      name: "storectl",
      args: ["status", "--", wanted, `${wanted}=2`, "{stdin}"],
      dir: "/srv",
      env: { LANG: "C" },
      stdin: "in",
      showPid: false,
    });
  });
});

test.each([["text"], [["a"]], [7], [{}]])("of arguments %j nothing is put in", (args) => {
  expect(build({}, args).args).toEqual(["status", "--", "{name}", "{name}={count}", "{stdin}"]);
});

test("names that every object has are not put in", () => {
  expect(build({ args: ["{constructor}", "{__proto__}"] }, {}).args).toEqual([
    "{constructor}",
    "{__proto__}",
  ]);
});

describe("names no command can have", () => {
  test.each(["", "1a", "a b", "a\n", "-a", "a/b", "é", "__proto__", "x".repeat(65), "a\u001b[2J"])(
    "%j",
    (name) => {
      expect(() => extensionCommand(extension({ name }))).toThrow(/^this name seen, expected/);
    },
  );
});

describe("a shell that reads its arguments is for administrators", () => {
  const script = { args: ["-c", "echo {name}"] };
  test.each(["sh", "/bin/bash", "/usr/bin/dash", "busybox"])("%s", (binary) => {
    expect(() => extensionCommand(extension({ binary, ...script }))).toThrow(
      "access operate to a shell that reads its arguments seen, expected admin",
    );
    expect(extensionCommand(extension({ binary, ...script, access: "admin" })).name).toBe(
      "store.status",
    );
  });

  test("one that another program starts is too", () => {
    const given = extension({ binary: "env", args: ["A=1", "sh", "-ec", "echo {name}"] });
    expect(() => extensionCommand(given)).toThrow("expected admin");
  });

  test("one that reads none is not", () => {
    const given = extension({ binary: "sh", args: ["-c", "uptime"], access: "read" });
    expect(extensionCommand(given).access).toBe("read");
  });
});
