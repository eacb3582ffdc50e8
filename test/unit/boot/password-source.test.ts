import { beforeEach, expect, test } from "vitest";
import { PasswordSource } from "../../../src/boot/password-source.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

const FILE = "/mnt/etc/redis/password";

let clock: FakeClock;
let log: QuietLog;
let applied: string[];
/** What was handed to `apply` and what was read, to see it wiped. */
let seen: Uint8Array[];
let read: () => Promise<string | undefined>;

beforeEach(() => {
  clock = new FakeClock();
  log = new QuietLog();
  applied = [];
  seen = [];
  read = async () => undefined;
});

function make(hasKernelPassword = true): PasswordSource {
  return new PasswordSource({
    clock,
    log,
    privateFile: FILE,
    hasKernelPassword,
    apply: (password) => {
      seen.push(password);
      const text = Buffer.from(password).toString();
      if (applied.at(-1) === text) return false;
      applied.push(text);
      return true;
    },
    read: async () => {
      const text = await read();
      if (text === undefined) return undefined;
      const content = Buffer.from(text);
      seen.push(content);
      return content;
    },
  });
}

test("without a private one, the password of the kernel command line stays", async () => {
  expect(await make().reload()).toEqual({ origin: "kernel", isChanged: false, problems: [] });
  expect(await make(false).reload()).toEqual({ origin: "none", isChanged: false, problems: [] });
  expect(applied).toEqual([]);
});

test("the first line of the private file takes its place", async () => {
  read = async () => "secret one\nnotes\n";
  expect(await make().reload()).toEqual({ origin: "private", isChanged: true, problems: [] });
  expect(applied).toEqual(["secret one"]);
});

test("the same password is not applied twice, another one is", async () => {
  const source = make();
  read = async () => "one\n";
  await source.reload();
  expect((await source.reload()).isChanged).toBe(false);
  read = async () => "two";
  expect((await source.reload()).isChanged).toBe(true);
  expect(applied).toEqual(["one", "two"]);
});

test("nothing that was read is left in memory", async () => {
  const source = make();
  for (const text of ["secret one\nnotes\n", "secret one\nnotes\n", "", "x".repeat(1025)]) {
    read = async () => text;
    await source.reload();
  }
  expect(seen.length).toBe(6);
  expect(Buffer.concat(seen).every((byte) => byte === 0)).toBe(true);
});

test("two that reload at the same time read once, and neither sees what the other wiped", async () => {
  const source = make();
  read = async () => "one\n";
  const both = await Promise.all([source.reload(), source.reload()]);
  expect(both.map(({ problems }) => problems)).toEqual([[], []]);
  expect(applied).toEqual(["one"]);
  expect(seen.length).toBe(2);
});

test("a private password outlives its file", async () => {
  const source = make();
  read = async () => "one\n";
  await source.reload();
  read = async () => undefined;
  expect(await source.reload()).toEqual({
    origin: "private",
    isChanged: false,
    problems: [`Cannot use password file ${FILE}: absent, the password read before stays`],
  });
  expect(applied).toEqual(["one"]);
});

test.each([
  ["an empty first line", "\nsecret\n", "first line is empty"],
  ["an empty file", "", "first line is empty"],
  ["an endless line", "x".repeat(1025), "first line is longer than 1024 bytes"],
])("%s changes nothing, is told once, and not shown", async (_what, text, problem) => {
  const source = make();
  read = async () => text;
  expect((await source.reload()).problems).toEqual([
    `Cannot use password file ${FILE}: ${problem}`,
  ]);
  await source.reload();
  expect(log.lines.map(([, message]) => message)).toEqual(["password not read"]);
  expect(JSON.stringify(log.lines)).not.toContain("xxxx");
  expect(applied).toEqual([]);
});

test("a file system that does not answer holds up nobody, and is asked once", async () => {
  let reads = 0;
  const answer = Promise.withResolvers<string>();
  read = () => {
    reads += 1;
    return answer.promise;
  };
  const source = make();
  const first = source.reload();
  clock.advance(2000);
  expect((await first).problems).toEqual([`Cannot use password file ${FILE}: no answer after 2 s`]);
  const second = source.reload();
  answer.resolve("late\n");
  expect((await second).isChanged).toBe(true);
  expect(reads).toBe(1);
});

test("a change is noticed within five seconds", async () => {
  const source = make();
  source.start();
  source.start();
  for (const password of ["one", "two"]) {
    read = async () => password;
    clock.advance(5000);
    await expect.poll(() => applied.at(-1)).toBe(password);
    await expect.poll(() => clock.pendingTimers).toBe(1);
  }
  source.stop();
  expect(clock.pendingTimers).toBe(0);
});
