/** Loads a kernel module. @param parameters For example `max_bonds=0`. @throws when it cannot be loaded. */
export async function loadModule(name: string, parameters: readonly string[]): Promise<void> {
  const [{ execFile }, { promisify }] = await Promise.all([
    import("node:child_process"),
    import("node:util"),
  ]);
  await promisify(execFile)("modprobe", ["--", name, ...parameters], { timeout: LIMIT_MS });
}

const LIMIT_MS = 10_000;
