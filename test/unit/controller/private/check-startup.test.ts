import { expect, test } from "vitest";
import { checkStartup } from "../../../../src/controller/private/check-startup.ts";
import { PlainTree } from "../../../../src/controller/private/plain-tree.ts";

function check(files: Readonly<Record<string, string>>): string[] {
  const tree = new PlainTree();
  for (const [path, text] of Object.entries(files)) tree.set(path, text);
  return checkStartup(tree);
}

test("good start-up files are good, also when they wait for what is in the image", () => {
  expect(check({ "net.toml": "[" })).toEqual([]);
  expect(check({ "conf.d/a.toml": '[startup.a]\nname = "bash"\nafter = ["elsewhere"]\n' })).toEqual(
    [],
  );
});

test("mistakes are named with file and line", () => {
  expect(
    check({
      "conf.d/a.toml": '[startup.a]\nname = "bash"\nafter = 1\n',
      "conf.d/large.toml": " ".repeat(300_000),
      "conf.d/notes": "[",
      "conf.d/below/c.toml": "[",
      "other/conf.d/d.toml": "[",
    }),
  ).toEqual([
    "Cannot use startup.a.after in conf.d/a.toml:3: 1 seen, expected an array of init, net, boot and names of services",
    "conf.d/large.toml: 300000 bytes seen, expected at most 262144",
  ]);
});
