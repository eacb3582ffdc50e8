/** Settings that come with the kernel command line. */
export interface KernelSettings {
  /** 16 lower-case hexadecimal digits, or null. */
  readonly zerotier: string | null;
  readonly debug: boolean;
  readonly quiet: boolean;
  readonly development: boolean;
  readonly support: boolean;
  readonly organizations: readonly string[];
  /** Interfaces that are left alone. */
  readonly noAutoNic: readonly string[];
  /** Absolute path, or null: without a password nothing listens on the network. */
  readonly passwordFile: string | null;
  readonly listen: readonly ListenAddress[];
  readonly hostname: string | null;
  readonly logLevel: "debug" | "info" | "warn" | "error" | null;
  /** Absolute path of the main configuration file. */
  readonly configFile: string;
  /** Stand-alone reachability: one of these must accept a TCP connection. Empty: a default route is enough. */
  readonly probes: readonly ProbeAddress[];
}

export interface ListenAddress {
  /** IPv4 or IPv6 address. */
  readonly host: string;
  readonly port: number;
}

export interface ProbeAddress {
  /** Name or address. */
  readonly host: string;
  readonly port: number;
}

export const DEFAULT_PORT = 6379;

export const DEFAULT_KERNEL_SETTINGS: KernelSettings = {
  zerotier: null,
  debug: false,
  quiet: false,
  development: false,
  support: false,
  organizations: [],
  noAutoNic: [],
  passwordFile: null,
  listen: [{ host: "0.0.0.0", port: DEFAULT_PORT }],
  hostname: null,
  logLevel: null,
  configFile: "/etc/node0/node0.toml",
  probes: [],
};

/** One word of the kernel command line that means something to node0. */
export interface KernelWord {
  readonly name: string;
  /** `flag` takes no value; `list` may be repeated and takes commas; `value`: the last one wins. */
  readonly kind: "flag" | "value" | "list";
  /** Values allowed, in words; shown in messages and in the documentation. */
  readonly allowed: string;
  /** The settings changed by one valid value; undefined for a value that is not allowed. */
  readonly read: (value: string, before: KernelSettings) => Partial<KernelSettings> | undefined;
}

const flag = (name: string, key: "debug" | "quiet" | "development" | "support"): KernelWord => ({
  name,
  kind: "flag",
  allowed: "no value",
  read: () => ({ [key]: true }),
});

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** docs/kernel-command-line.md describes each of these; a test compares. */
export const KERNEL_WORDS: readonly KernelWord[] = [
  flag("debug", "debug"),
  flag("quiet", "quiet"),
  flag("development", "development"),
  flag("support", "support"),
  {
    name: "zerotier",
    kind: "value",
    allowed: "a network id of 16 hexadecimal digits",
    read: (value) =>
      /^[0-9a-f]{16}$/i.test(value) ? { zerotier: value.toLowerCase() } : undefined,
  },
  {
    name: "organization",
    kind: "list",
    allowed: "a name without spaces",
    read: (value, { organizations }) =>
      /^[^\s,]+$/.test(value) ? { organizations: [...organizations, value] } : undefined,
  },
  {
    name: "noautonic",
    kind: "list",
    allowed: "names of network interfaces, 1 to 15 characters without slash and space each",
    read: (value, { noAutoNic }) =>
      isInterfaceName(value) ? { noAutoNic: [...noAutoNic, value] } : undefined,
  },
  {
    name: "node0.password-file",
    kind: "value",
    allowed: "an absolute path",
    read: (value) => (isAbsolutePath(value) ? { passwordFile: value } : undefined),
  },
  {
    name: "node0.listen",
    kind: "list",
    allowed: "ADDRESS, ADDRESS:PORT or [IPV6]:PORT with a port from 1 to 65535",
    read: (value, { listen }) => {
      const address = parseListen(value);
      if (address === undefined) return undefined;
      const isFirst = listen === DEFAULT_KERNEL_SETTINGS.listen;
      return { listen: isFirst ? [address] : [...listen, address] };
    },
  },
  {
    name: "node0.hostname",
    kind: "value",
    allowed: "1 to 63 letters, digits and hyphens, no hyphen at either end",
    read: (value) =>
      /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(value) ? { hostname: value } : undefined,
  },
  {
    name: "node0.log-level",
    kind: "value",
    allowed: `one of ${LOG_LEVELS.join(", ")}`,
    read: (value) => {
      const logLevel = LOG_LEVELS.find((level) => level === value);
      return logLevel === undefined ? undefined : { logLevel };
    },
  },
  {
    name: "node0.config",
    kind: "value",
    allowed: "an absolute path",
    read: (value) => (isAbsolutePath(value) ? { configFile: value } : undefined),
  },
  {
    name: "node0.probe",
    kind: "list",
    allowed: "HOST:PORT with a port from 1 to 65535",
    read: (value, { probes }) => {
      const probe = parseProbe(value);
      return probe === undefined ? undefined : { probes: [...probes, probe] };
    },
  },
];

/** "HOST:PORT" or "[IPV6]:PORT"; undefined for anything else. */
export function parseProbe(value: string): ProbeAddress | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):(\d+)$/i.exec(value);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || !isPort(port) ? undefined : { host, port };
}

export function parseListen(value: string): ListenAddress | undefined {
  const withPort = parseProbe(value);
  const address = withPort ?? { host: value.replace(/^\[(.*)\]$/, "$1"), port: DEFAULT_PORT };
  return isIpAddress(address.host) ? address : undefined;
}

/** Not node:net's isIP: this file stays free of I/O modules, and full rigour comes with bind(). */
function isIpAddress(text: string): boolean {
  const octets = text.split(".");
  const isV4 =
    octets.length === 4 && octets.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
  return isV4 || (text.includes(":") && /^[0-9a-f:]{2,39}$/i.test(text));
}

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;
const isAbsolutePath = (text: string): boolean => /^\/[^\0]*$/.test(text);
const isInterfaceName = (text: string): boolean => /^[^\s/]{1,15}$/.test(text);
