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

test.each([
  ["--flavour", "tiny"],
  ["--layout", "zip"],
  ["--unknown", "x"],
])("refuses %s %s as wrong usage", (...words) => {
  expect(() => parseImageOptions(words, "/project")).toThrow(
    expect.objectContaining({ code: "E_USAGE" }),
  );
});
