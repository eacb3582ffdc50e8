import { expect, test } from "vitest";
import { controllerFiles } from "../../../scripts/machine/controller-files.ts";
import { parseNetworkConfig } from "../../../src/config/network-config-parse.ts";

test("the machine reads the address of its controller from a file the image takes over", () => {
  const [main, network, ca] = controllerFiles(4443, "the CA\n");
  expect(main).toMatchObject({
    path: "/etc/node0/node0.toml",
    text: `[main]\nnetwork = "${network?.path}"\n`,
  });
  expect(parseNetworkConfig(network?.text ?? "", "net.toml")).toMatchObject({
    problems: [],
    config: { controllers: [{ url: "https://10.0.2.2:4443", ca: ca?.path }] },
  });
  expect(ca).toMatchObject({ path: expect.stringMatching(/^\/etc\/node0\//), text: "the CA\n" });
});
