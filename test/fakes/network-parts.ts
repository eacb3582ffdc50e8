import type { DesiredAddress, DesiredRoute } from "../../src/network/desired.ts";
import type { SetupTools } from "../../src/network/network-setup.ts";
import { NODE0_PROTOCOL } from "../../src/sys/network-state.ts";

export const crudeTools: SetupTools = {
  build: ({ config, leases, fallback }) => {
    const addresses: DesiredAddress[] = [];
    const routes: DesiredRoute[] = [];
    for (const one of config.interfaces) {
      for (const address of one.addresses) {
        addresses.push({ interface: one.name, ...address, origin: "static", validSeconds: null });
      }
      for (const gateway of one.gateways) {
        routes.push({
          destination: "0.0.0.0/0",
          gateway,
          interface: one.name,
          metric: 100,
          isOnLink: true,
        });
      }
    }
    for (const { lease, metric } of leases) {
      const { interface: name, address, prefix, gateway } = lease;
      addresses.push({ interface: name, address, prefix, origin: "dhcp", validSeconds: null });
      if (gateway !== null) {
        routes.push({
          destination: "0.0.0.0/0",
          gateway,
          interface: name,
          metric,
          isOnLink: false,
        });
      }
    }
    if (fallback !== null) {
      addresses.push({ ...fallback, prefix: 24, origin: "fallback", validSeconds: null });
    }
    const servers = [...config.dns.servers, ...leases.flatMap(({ lease }) => lease.dns)];
    return { links: [], addresses, routes, dns: { servers, search: [] } };
  },
  apply: async (desired, kernel) => {
    const state = kernel.observe();
    const problems: string[] = [];
    const run = (action: () => void): void => {
      try {
        action();
      } catch (error) {
        problems.push(String(error));
      }
    };
    for (const one of state.addresses) {
      const isWanted = desired.addresses.some(
        (other) => other.interface === one.interface && other.address === one.address,
      );
      if (one.protocol === NODE0_PROTOCOL && !isWanted) {
        const { interface: name, address, prefix } = one;
        run(() => kernel.apply({ op: "address.remove", interface: name, address, prefix }));
      }
    }
    for (const one of desired.addresses) {
      const isThere = state.addresses.some(
        (other) => other.interface === one.interface && other.address === one.address,
      );
      const { interface: name, address, prefix } = one;
      if (!isThere) {
        run(() =>
          kernel.apply({
            op: "address.add",
            interface: name,
            address,
            prefix,
            protocol: NODE0_PROTOCOL,
          }),
        );
      }
    }
    for (const one of state.routes) {
      const isWanted = desired.routes.some(
        (other) =>
          other.destination === one.destination &&
          other.interface === one.interface &&
          other.metric === one.metric &&
          other.gateway === one.gateway,
      );
      const { destination, gateway, interface: name, metric } = one;
      if (one.protocol === NODE0_PROTOCOL && !isWanted) {
        run(() =>
          kernel.apply({ op: "route.remove", destination, gateway, interface: name, metric }),
        );
      }
    }
    for (const one of desired.routes) {
      const isThere = state.routes.some(
        (other) =>
          other.destination === one.destination &&
          other.interface === one.interface &&
          other.metric === one.metric &&
          other.gateway === one.gateway,
      );
      if (!isThere)
        run(() => kernel.apply({ op: "route.replace", ...one, protocol: NODE0_PROTOCOL }));
    }
    return problems;
  },
  resolvConf: ({ servers }) => servers.map((one) => `nameserver ${one}\n`).join(""),
};
