import { beforeEach, expect, test } from "vitest";
import { PasswordSource } from "../../../src/boot/password-source.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

const FILE = "/mnt/etc/redis/password";

let clock: FakeClock;
let log: QuietLog;
let applied: string[];
let read: () => Promise<string | undefined>;

beforeEach(() => {
  clock = new FakeClock();
  log = new QuietLog();
  applied = [];
  read = async () => undefined;
});

function make(kernelPassword: string | null = "of the kernel"): PasswordSource {
  return new PasswordSource({
    clock,
    log,
    privateFile: FILE,
    kernelPassword,
    apply: (password) => applied.push(password),
    readText: async () => read(),
  });
}

test("without a private one, the password of the kernel command line stays", async () => {
  expect(await make().reload()).toEqual({ origin: "kernel", isChanged: false, problems: [] });
  expect(await make(null).reload()).toEqual({ origin: "none", isChanged: false, problems: [] });
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
