import { builtin } from "../../services.ts";

export const command = builtin({
  name: "bridge.list",
  summary: "Lists the names of all bridges",
  scope: "host",
  access: "read",
  result: "array of strings",
  run: async ({ kernelNetwork }) => {
    const { links } = (await kernelNetwork()).observe();
    return links.flatMap(({ name, kind }) => (kind === "bridge" ? [name] : []));
  },
});
