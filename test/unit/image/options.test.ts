import { expect, test } from "vitest";
import { parseImageOptions } from "../../../src/image/options.ts";

test("without options a cloud image goes to dist/image", () => {
  expect(parseImageOptions([], "/project")).toMatchObject({
    flavour: "cloud",
    outDir: "/project/dist/image",
    overlays: [],
  });
});

test("overlays keep their order", () => {
  const { overlays } = parseImageOptions(["--overlay", "/a", "--overlay", "/b"], "/project");

  expect(overlays).toEqual(["/a", "/b"]);
});

test("--files and --overlay are one option: their order counts together", () => {
  const words = ["--files", "/a", "--overlay", "/b", "--files=/c"];

  expect(parseImageOptions(words, "/project").overlays).toEqual(["/a", "/b", "/c"]);
});

test("the program of the overlay is named by a path, or left out by a word", () => {
  const named = (...words: string[]) => parseImageOptions(words, "/project").zerotierBin;

  expect(named()).toBeUndefined();
  expect(named("--zerotier-bin", "/opt/zt")).toBe("/opt/zt");
  expect(named("--zerotier-bin", "none")).toBe("none");
});

test.each([
  ["--zerotier-bin", ""],
  ["--flavour", "tiny"],
  ["--layout", "zip"],
  ["--unknown", "x"],
])("refuses %s %s as wrong usage", (...words) => {
  expect(() => parseImageOptions(words, "/project")).toThrow(
    expect.objectContaining({ code: "E_USAGE" }),
  );
});
