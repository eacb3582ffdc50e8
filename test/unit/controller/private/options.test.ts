import { resolve } from "node:path";
import { expect, test } from "vitest";
import { AgentError } from "../../../../src/base/errors.ts";
import { parsePrivateWords } from "../../../../src/controller/private/options.ts";

const HERE = ["--dir", "/srv/controller"];
const CREATE = ["create", "--mac", "52:54:00:12:34:56", "--out", "m1"];

test("create takes a machine, a directory and a controller; paths become absolute", () => {
  expect(parsePrivateWords([...CREATE, ...HERE])).toEqual({
    action: "create",
    target: { dir: "/srv/controller" },
    create: {
      macs: ["52:54:00:12:34:56"],
      directory: resolve("m1"),
      given: { authorizedKeys: [] },
      mustUpload: true,
      mustApprove: false,
    },
  });
});

test("create takes files for all that it would make", () => {
  const words = [
    ...["--authorized-keys", "/a", "--authorized-keys", "/b", "--ssh-host-key", "/h"],
    ...["--redis-password-file", "/p", "--net-toml", "/n", "--zerotier", "/z", "--files", "/f"],
    ...["--no-upload", "--approve"],
  ];
  expect(parsePrivateWords([...CREATE, ...HERE, ...words])).toMatchObject({
    create: {
      given: {
        authorizedKeys: ["/a", "/b"],
        sshHostKey: "/h",
        redisPasswordFile: "/p",
        netToml: "/n",
        zerotier: "/z",
        files: "/f",
      },
      mustUpload: false,
      mustApprove: true,
    },
  });
});

test("MAC addresses are taken in any spelling, each once", () => {
  const words = ["--mac", "52-54-00-12-34-56", "--mac", "AA:BB:CC:DD:EE:FF"];
  expect(parsePrivateWords([...CREATE, ...words, ...HERE])).toMatchObject({
    create: { macs: ["52:54:00:12:34:56", "aa:bb:cc:dd:ee:ff"] },
  });
});

test("a controller elsewhere is its URL with CA and token", () => {
  const words = ["--url", "https://c:4443", "--ca", "/ca", "--token-file", "/t"];
  expect(parsePrivateWords(["verify", "/m1", ...words])).toEqual({
    action: "verify",
    directory: "/m1",
    target: { url: "https://c:4443", caFile: "/ca", tokenFile: "/t" },
  });
});

test("verify and a local edit do without a controller", () => {
  expect(parsePrivateWords(["verify", "/m1"])).toMatchObject({ target: undefined });
  expect(parsePrivateWords(["edit", "/m1", "--no-upload"])).toEqual({
    action: "edit",
    directory: "/m1",
    target: undefined,
    command: undefined,
  });
});

test("all behind -- is the command of edit, options too", () => {
  expect(parsePrivateWords(["edit", "/m1", ...HERE, "--", "vi", "--clean", "."])).toMatchObject({
    directory: "/m1",
    command: ["vi", "--clean", "."],
  });
});

test.each([
  ["no action", []],
  ["an unknown action", ["destroy"]],
  ["create without --out", ["create", "--mac", "52:54:00:12:34:56", ...HERE]],
  ["create without --mac", ["create", "--out", "/m", ...HERE]],
  ["create with a bad MAC", ["create", "--mac", "52:54:00:12:34", "--out", "/m", ...HERE]],
  ["create without a controller", CREATE],
  ["create with a directory as operand", [...CREATE, ...HERE, "/m1"]],
  ["an empty path", [...CREATE, ...HERE, "--files", ""]],
  ["an option that does not exist", [...CREATE, ...HERE, "--password", "x"]],
  ["rotate without a controller", ["rotate", "/m1"]],
  ["rotate without a directory", ["rotate", ...HERE]],
  ["rotate of two directories", ["rotate", "/m1", "/m2", ...HERE]],
  ["edit with nothing behind --", ["edit", "/m1", ...HERE, "--"]],
  ["edit without a controller", ["edit", "/m1", "--", "true"]],
  ["a directory and a URL of a controller", ["verify", "/m1", ...HERE, "--url", "https://c"]],
  ["a URL without its CA", ["verify", "/m1", "--url", "https://c", "--token-file", "/t"]],
])("%s is a mistake of the words", (_what, words) => {
  const run = (): unknown => parsePrivateWords(words);
  expect(run).toThrow(AgentError);
  expect(run).toThrow(expect.objectContaining({ code: "E_USAGE" }));
});
