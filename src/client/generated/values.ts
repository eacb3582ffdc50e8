// Generated from the commands by `node scripts/docs.ts`; do not edit.

/** What each command of the wire protocol returns. */
export interface CommandValues {
  readonly "aggregator.query": Readonly<Record<string, { readonly op: string; readonly last_value: number; readonly last_time: number; readonly current: { readonly "300": { readonly avg: number; readonly total: number; readonly max: number; readonly count: number; readonly start: number }; readonly "3600": { readonly avg: number; readonly total: number; readonly max: number; readonly count: number; readonly start: number } }; readonly history?: { readonly "300"?: readonly { readonly avg: number; readonly total: number; readonly max: number; readonly count: number; readonly start: number }[] | undefined; readonly "3600"?: readonly { readonly avg: number; readonly total: number; readonly max: number; readonly count: number; readonly start: number }[] | undefined } | undefined; readonly tags?: readonly { readonly key: string; readonly value: string }[] | undefined }>>;
  readonly "config.get": { readonly main: { readonly max_jobs: number; readonly include: readonly string[] | null; readonly network: string; readonly log_level: string }; readonly globals: Readonly<Record<string, string>> | null; readonly extension: Readonly<Record<string, { readonly binary: string; readonly cwd: string; readonly env: Readonly<Record<string, unknown>> | null; readonly args: readonly string[] | null }>> | null; readonly logger: { readonly file: { readonly levels: readonly number[] | null }; readonly Ledis: { readonly ledis: { readonly levels: readonly number[] | null }; readonly size: number } }; readonly containers: { readonly max_count: number }; readonly stats: { readonly enabled: boolean } };
  readonly "core.ping": string;
  readonly "core.state": { readonly cpu: number; readonly rss: number; readonly vms: number; readonly swap: number };
  readonly "filesystem.chmod": null;
  readonly "filesystem.chown": null;
  readonly "filesystem.close": null;
  readonly "filesystem.exists": boolean;
  readonly "filesystem.list": readonly { readonly name: string; readonly size: number; readonly mode: number; readonly is_dir: boolean }[];
  readonly "filesystem.mkdir": null;
  readonly "filesystem.move": null;
  readonly "filesystem.open": string;
  readonly "filesystem.read": string;
  readonly "filesystem.remove": null;
  readonly "filesystem.write": null;
  readonly "info.cpu": readonly { readonly cpu: number; readonly vendorId: string; readonly family: string; readonly model: string; readonly stepping: number; readonly physicalId: string; readonly coreId: string; readonly cores: number; readonly modelName: string; readonly mhz: number; readonly cacheSize: number; readonly flags: readonly string[]; readonly microcode: string }[];
  readonly "info.disk": readonly { readonly device: string; readonly mountpoint: string; readonly fstype: string; readonly opts: string }[];
  readonly "info.dmi": { readonly tooling: { readonly aggregator: string; readonly decoder: string }; readonly sections: readonly { readonly handleline: string; readonly typestr: string; readonly typenum: number; readonly subsections: readonly { readonly title: string; readonly properties: Readonly<Record<string, { readonly value: string; readonly items?: readonly string[] | undefined }>> }[] }[] };
  readonly "info.mem": { readonly total: number; readonly available: number; readonly used: number; readonly free: number; readonly active: number; readonly inactive: number; readonly wired: number; readonly buffers: number; readonly cached: number; readonly writeback: number; readonly dirty: number; readonly writebacktmp: number; readonly shared: number; readonly slab: number; readonly pagetables: number; readonly swapcached: number; readonly usedPercent: number };
  readonly "info.nic": readonly { readonly mtu: number; readonly name: string; readonly hardwareaddr: string; readonly flags: readonly string[] | null; readonly addrs: readonly { readonly addr: string }[]; readonly speed: number; readonly carrier: boolean; readonly operstate: boolean }[];
  readonly "info.os": { readonly hostname: string; readonly uptime: number; readonly bootTime: number; readonly procs: number; readonly os: string; readonly platform: string; readonly platformFamily: string; readonly platformVersion: string; readonly kernelVersion: string; readonly virtualizationSystem: string; readonly virtualizationRole: string; readonly hostid: string };
  readonly "info.port": readonly { readonly network: string; readonly port?: number | undefined; readonly unix?: string | undefined; readonly ip?: string | undefined; readonly pid: number }[];
  readonly "info.version": { readonly branch: string; readonly revision: string; readonly dirty: boolean };
  readonly "ip.addr.add": null;
  readonly "ip.addr.del": null;
  readonly "ip.addr.list": readonly string[];
  readonly "ip.bond.add": null;
  readonly "ip.bond.del": null;
  readonly "ip.bond.list": Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>;
  readonly "ip.bridge.add": null;
  readonly "ip.bridge.addif": null;
  readonly "ip.bridge.del": null;
  readonly "ip.bridge.delif": null;
  readonly "ip.link.down": null;
  readonly "ip.link.list": readonly { readonly name: string; readonly type: string; readonly hwaddr: string; readonly master: string; readonly up: boolean; readonly mtu: number }[];
  readonly "ip.link.mtu": null;
  readonly "ip.link.name": null;
  readonly "ip.link.up": null;
  readonly "ip.route.add": null;
  readonly "ip.route.del": null;
  readonly "ip.route.list": readonly { readonly dev: string; readonly dst: string; readonly gw: string }[];
  readonly "job.kill": boolean;
  readonly "job.killall": boolean;
  readonly "job.list": readonly { readonly cpu: number; readonly rss: number; readonly vms: number; readonly swap: number; readonly starttime: number; readonly cmd: Readonly<Record<string, unknown>>; readonly pid: number }[];
  readonly "job.unschedule": boolean;
  readonly "logger.reopen": null;
  readonly "logger.set_level": null;
  readonly "logger.subscribe": string;
  readonly "logger.unsubscribe": null;
  readonly "monitor": null;
  readonly "process.kill": null;
  readonly "process.list": readonly { readonly pid: number; readonly ppid: number; readonly cmdline: string; readonly name: string; readonly createtime: number; readonly cpu: { readonly guestnice: number; readonly idle: number; readonly iowait: number; readonly irq: number; readonly nice: number; readonly softirq: number; readonly steal: number; readonly stolen: number; readonly system: number; readonly user: number }; readonly rss: number; readonly vms: number; readonly swap: number; readonly rlimit: readonly { readonly resource: number; readonly soft: number; readonly hard: number }[]; readonly ofd: number }[];
  readonly "zerotier.info": Readonly<Record<string, unknown>>;
  readonly "zerotier.list": readonly Readonly<Record<string, unknown>>[];
}
