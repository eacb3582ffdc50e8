import { expect, test } from "vitest";
import { BOOT_LIMIT_MS, call, openClient, PASSWORD, startNode } from "./support.ts";

test("a machine whose stop itself hangs is off within 30 s all the same", async () => {
  await using machine = await startNode();
  await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
  const redis = openClient(machine);
  // A daemon, whose job is over: it outlives the jobs and the first signal, and then holds the script
  // that does the stopping.
  const saboteur = `exec </dev/null >/dev/null 2>&1; trap '' TERM HUP; echo lurking >/dev/console; while :; do
      for dir in /proc/[0-9]*; do
        read -r pid name state parent rest <$dir/stat || continue
        case "$name $parent" in '(shutdown) 1') kill -STOP $pid && echo held >/dev/console ;; esac
      done 2>/dev/null
    done`;
  const command = { id: "saboteur", command: "core.system" };
  const args = { name: "setsid", args: ["-f", "sh", "-c", saboteur] };
  await redis.rpush("core:default", JSON.stringify({ ...command, arguments: args }));
  // Until then the signal of the stop could come before it is ignored.
  await machine.waitSerial(/lurking/, { timeoutMs: 20_000 });
  await call(redis, "core.poweroff").catch(() => null);
  redis.disconnect();
  await machine.waitSerial(/held/, { timeoutMs: 20_000 });
  expect(await machine.waitExit(30_000)).toEqual({ status: 0, signal: null });
  expect(machine.serial()).toMatch(/forced end/);
});
