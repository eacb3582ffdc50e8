import type { DesiredDns } from "./desired.ts";

/** More are ignored by the resolver of the C library. Source: resolv.conf(5), MAXNS. */
const MAX_SERVERS = 3;

/** The C library before 2.26 reads no more, and other resolvers still do not. Source: resolv.conf(5). */
const MAX_DOMAINS = 6;
const MAX_SEARCH_CHARACTERS = 256;

/** Text of /etc/resolv.conf, within what its readers take. Empty without servers and domains. */
export function formatResolvConf({ servers, search }: DesiredDns): string {
  const lines = plain(servers)
    .slice(0, MAX_SERVERS)
    .map((server) => `nameserver ${server}\n`);
  let domains = plain(search).slice(0, MAX_DOMAINS);
  while (domains.join(" ").length > MAX_SEARCH_CHARACTERS) domains = domains.slice(0, -1);
  return [...lines, ...(domains.length === 0 ? [] : [`search ${domains.join(" ")}\n`])].join("");
}

/** Each once. A value that could be more than a word of a line is left out. */
function plain(values: readonly string[]): string[] {
  return [...new Set(values)].filter((value) => /^[\w.:%@-]+$/.test(value));
}
