import { readlinkSync } from "node:fs";
import { Breather } from "./breather.ts";
import { listPids } from "./pids.ts";
import { readNames } from "./read-text.ts";

/**
 * Finds who holds sockets: the lowest pid with an open descriptor for each.
 *
 * @param inodes Inode numbers as in the tables of `/proc/net`.
 * @returns Pid by inode; no entry where no visible process holds the socket (kernel sockets, processes
 *   of other pid namespaces).
 */
export async function findSocketOwners(inodes: Iterable<number>): Promise<Map<number, number>> {
  const missing = new Set(inodes);
  missing.delete(0);
  const owners = new Map<number, number>();
  const breather = new Breather();
  for (const pid of listPids()) {
    await breather.step();
    for (const fd of readNames(`/proc/${pid}/fd`)) {
      if (missing.size === 0) return owners;
      await breather.step();
      const inode = socketInode(`/proc/${pid}/fd/${fd}`);
      if (missing.delete(inode)) owners.set(inode, pid);
    }
  }
  return owners;
}

/** Inode of the socket behind a descriptor link; 0 for anything else and for one just closed. */
function socketInode(path: string): number {
  try {
    return Number(/^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
