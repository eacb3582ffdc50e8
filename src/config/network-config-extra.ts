import type { InterfaceConfig, LoadedNetworkConfig, NetworkConfig } from "./network-types.ts";

/**
 * Adds the net.toml of the private configuration to the one of the image. Its interfaces come in place of
 * those of the same name or hardware address; name servers come before those of the image. Controllers and
 * probes stay those of the image: whom a machine asks for its key is not changed by what that key opened.
 * With a mistake in it nothing of it is used: half a network is worse than none.
 */
export function addNetworkConfig(
  base: LoadedNetworkConfig,
  extra: LoadedNetworkConfig,
): LoadedNetworkConfig {
  if (!extra.isPresent) return base;
  if (extra.problems.length > 0) return withProblems(base, extra.problems);
  const { controllers, probes } = extra.config;
  const unused = [
    ...(controllers.length > 0 ? ["controllers"] : []),
    ...(probes.length > 0 ? ["probes"] : []),
  ];
  const problems = unused.map(
    (what) => `Cannot use ${what} of ${extra.file}: those of ${base.file} stay in force`,
  );
  return withProblems({ ...base, config: merge(base.config, extra.config) }, problems);
}

function merge(base: NetworkConfig, extra: NetworkConfig): NetworkConfig {
  const isReplaced = (one: InterfaceConfig): boolean =>
    extra.interfaces.some(
      ({ name, mac }) => name === one.name || (mac !== null && mac === one.mac),
    );
  return {
    ...base,
    auto: base.auto || extra.auto,
    dns: {
      servers: [...new Set([...extra.dns.servers, ...base.dns.servers])],
      search: [...new Set([...extra.dns.search, ...base.dns.search])],
    },
    interfaces: [...base.interfaces.filter((one) => !isReplaced(one)), ...extra.interfaces],
  };
}

function withProblems(
  loaded: LoadedNetworkConfig,
  problems: readonly string[],
): LoadedNetworkConfig {
  return { ...loaded, problems: [...loaded.problems, ...problems] };
}
