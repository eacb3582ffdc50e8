/** Kernel settings of a node, path below /proc/sys to value. A kernel without one of them is fine. */
export const SYSCTLS: Readonly<Record<string, string>> = {
  // A panic must not leave a machine without console waiting for a person.
  "kernel/panic": "10",
  "kernel/panic_on_oops": "1",
  // Jobs are root, containers are not: they learn nothing about the kernel's addresses.
  "kernel/kptr_restrict": "1",
  "kernel/dmesg_restrict": "1",
  "kernel/unprivileged_bpf_disabled": "1",
  "fs/protected_hardlinks": "1",
  "fs/protected_symlinks": "1",
  "fs/inotify/max_user_instances": "1024",
  "fs/inotify/max_user_watches": "524288",
  "vm/max_map_count": "262144",
  "net/core/somaxconn": "4096",
};

/** Not for `debug`: kernel messages below "error" would tear the lines of the boot apart. */
export const QUIET_KERNEL = { "kernel/printk": "4 4 1 7" } as const;
