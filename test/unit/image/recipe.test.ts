import { expect, test } from "vitest";
import { mergeLists } from "../../../src/image/manifest.ts";
import { isKernelPackage, packageSets } from "../../../src/image/recipe.ts";

test("each flavour is a set of its own beside base and tools", () => {
  const sets = packageSets({
    release: "trixie",
    base: ["busybox-static"],
    tools: ["kmod"],
    without: [],
    leaveOut: [],
    flavours: { cloud: { kernel: "linux-image-cloud-amd64", packages: [] } },
  });

  expect([...sets.keys()]).toEqual(["base", "tools", "cloud"]);
  expect(sets.get("cloud")).toEqual({ kernel: "linux-image-cloud-amd64", packages: [] });
});

test("the package that always depends on the newest kernel is not a kernel", () => {
  expect(isKernelPackage("linux-image-6.12.1+deb13-cloud-amd64")).toBe(true);
  expect(isKernelPackage("linux-image-cloud-amd64")).toBe(false);
});

test("in the list of files a layer replaces what lies under it", () => {
  const below = [
    { path: "b", sizeBytes: 1, sha256: "old" },
    { path: "c", sizeBytes: 1, sha256: "kept" },
  ];
  const above = [{ path: "b", sizeBytes: 2, sha256: "new" }];

  expect(mergeLists(below, above)).toEqual([
    { path: "b", sizeBytes: 2, sha256: "new" },
    { path: "c", sizeBytes: 1, sha256: "kept" },
  ]);
});
