import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.link.list",
  summary: "Lists all links by index",
  scope: "both",
  access: "read",
  result: "array of {name, type, hwaddr, master: name or empty, up, mtu}",
  run: async ({ kernelNetwork }) => {
    const { links } = (await kernelNetwork()).observe();
    return links.map(({ name, kind, mac, master, isUp, mtu }) => ({
      name,
      type: kind,
      hwaddr: mac,
      master: master ?? "",
      up: isUp,
      mtu,
    }));
  },
});
