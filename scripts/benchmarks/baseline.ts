import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { formatCpio } from "../../src/image/cpio.ts";
import { parseDependencies } from "../../src/image/modules.ts";
import { Tree } from "../../src/image/tree.ts";
import { openKernel, openWorkshop, unpackAll } from "../../src/image/workshop.ts";

const NETWORK_DRIVER = "kernel/drivers/net/virtio_net.ko";

/**
 * Builds the machine node0 is compared with: the same kernel, busybox as init, udhcpc, and the build
 * machine's redis-server. There is nothing smaller that answers an authenticated PING by DHCP.
 *
 * @param target File to write the initrd to.
 */
export async function buildBaseline(
  target: string,
  { root, password }: { root: string; password: string },
): Promise<void> {
  const workshop = await openWorkshop({ root, say: () => {} });
  const packages = [
    ...(await workshop.packages.fetchSet("base")),
    ...(await workshop.packages.fetchSet("cloud")),
  ];
  const kernel = await openKernel(workshop, { packages, flavour: "cloud" });
  const found = packages.filter(({ name }) => name === "busybox-static");
  const [busybox] = await unpackAll(workshop.packages, found);
  const tree = new Tree();
  for (const name of ["dev", "proc", "sys", "tmp"]) tree.addDirectory(name);
  tree.add("bin/busybox", {
    kind: "file",
    mode: 0o755,
    source: join(busybox?.dir ?? "", "usr/bin/busybox"),
  });
  tree.addLink("init", "/bin/busybox");
  for (const name of PROGRAMS) tree.add(`bin/${name}`, { kind: "symlink", target: "busybox" });
  addWithLibraries(tree, "/usr/bin/redis-server");
  const modules = addModules(tree, join(kernel.modulesDir, "lib/modules", kernel.version));
  tree.addText("etc/inittab", INITTAB);
  tree.addText("etc/rc", formatRc(modules), 0o755);
  tree.addText("etc/udhcpc", UDHCPC_HOOK, 0o755);
  tree.addText("etc/redis.conf", `${REDIS_CONF}requirepass ${password}\n`, 0o600);
  writeFileSync(target, zstdCompressSync(formatCpio(tree)));
}

const PROGRAMS = ["sh", "mount", "insmod", "ip", "udhcpc", "grep", "sleep", "init"];

const INITTAB = `::sysinit:/etc/rc
::respawn:/usr/bin/redis-server /etc/redis.conf
`;

const REDIS_CONF = `bind 0.0.0.0
save ""
dir /tmp
`;

const UDHCPC_HOOK = `#!/bin/sh
case $1 in
  bound | renew)
    ip addr add "$ip/$mask" dev "$interface"
    ip route add default via "$router"
    ;;
esac
`;

/** The uptime line lets the host work out when the kernel started. */
function formatRc(modules: readonly string[]): string {
  return `#!/bin/sh
mount -t proc proc /proc
read -r up _ </proc/uptime
echo "[ $up] baseline" >/dev/console
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
${modules.map((name) => `insmod /modules/${name}`).join("\n")}
ip link set lo up
ip link set eth0 up
udhcpc -i eth0 -n -q -s /etc/udhcpc >/dev/null 2>&1
(sleep ${IDLE_S}; grep -E 'MemTotal|MemAvailable' /proc/meminfo >/dev/console) &
`;
}

/** How long a machine is left alone before its memory is read. */
export const IDLE_S = 8;

function addModules(tree: Tree, dir: string): string[] {
  const dependencies = parseDependencies(readFileSync(join(dir, "modules.dep"), "utf8"));
  const names: string[] = [];
  const take = (path: string): void => {
    for (const needed of [...(dependencies.get(path) ?? [])].reverse()) take(needed);
    if (names.includes(basename(path))) return;
    names.push(basename(path));
    tree.addFile(`modules/${basename(path)}`, join(dir, path));
  };
  take(NETWORK_DRIVER);
  return names;
}

/** A program of the build machine with the libraries its dynamic loader names. */
function addWithLibraries(tree: Tree, program: string): void {
  const listed = execFileSync("ldd", [program], { encoding: "utf8" });
  const libraries = listed.match(/\/\S+\.so\S*/g) ?? [];
  for (const path of [program, ...libraries]) {
    tree.add(path.slice(1), { kind: "file", mode: 0o755, source: path });
  }
}
