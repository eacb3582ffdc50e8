import { describe, expect, test } from "vitest";
import type { KnownUser } from "../../../src/api/users.ts";
import { parseUsers } from "../../../src/api/users-file.ts";
import { hidePasswords } from "../../../src/api/users-passwords.ts";

const read = (text: string, before: readonly KnownUser[] = []) =>
  parseUsers(Buffer.from(text), { file: "users.toml", before });

const user = (name: string, more = "", password = `password of ${name}`): string =>
  `[user.${name}]\nrole = "reader"\npassword = "${password}"\n${more}\n`;

const matches = (users: readonly KnownUser[] | null, at: number, candidate: string): boolean =>
  users?.[at]?.digest.matches(Buffer.from(candidate)) === true;

describe("a users file", () => {
  test("gives users with role, commands and password", async () => {
    const { users, problems } = await read(
      `${user("bob")}[user."eve.x"]\nrole='admin'\npassword = 'with "quotes" # and \\' # why\nallow = ["info.*", "core.ping"]\n`,
    );
    expect(problems).toEqual([]);
    expect(users).toMatchObject([
      { name: "bob", role: "reader", allow: null },
      { name: "eve.x", role: "admin", allow: ["info.*", "core.ping"] },
    ]);
    expect(matches(users, 0, "password of bob")).toBe(true);
    expect(matches(users, 1, 'with "quotes" # and \\')).toBe(true);
    expect(matches(users, 1, "password of bob")).toBe(false);
  });

  test("may have escaped quotes, tabs, and lines of Windows", async () => {
    const text = '[user.a]\r\nrole = "reader"\r\n\t password\t=\t"a\\"b\\\\cdefgh"\r\n';
    const { users, problems } = await read(text);
    expect(problems).toEqual([]);
    expect(matches(users, 0, 'a"b\\cdefgh')).toBe(true);
  });

  test("is wiped when it was read", async () => {
    const content = Buffer.from(user("bob"));
    await parseUsers(content, { file: "users.toml", before: [] });
    expect(content.every((byte) => byte === 0)).toBe(true);
  });

  test("becomes text without the passwords", () => {
    const { text, passwords } = hidePasswords(Buffer.from(user("a") + user("b")));
    expect(text).not.toContain("password of");
    expect(text).toContain('password = "1"');
    expect(passwords.map((one) => Buffer.from(one).toString())).toEqual([
      "password of a",
      "password of b",
    ]);
  });

  test.each([
    ['role = "root"', /user\.x\.role .*expected one of reader, operator, admin$/],
    ['role = "reader"\nallow = "info.*"', /user\.x\.allow .*\["info\.\*", "core\.ping"\]$/],
    ['role = "reader"\nallow = ["a b"]', /user\.x\.allow /],
    ['role = "reader"\nmore = 1', /user\.x\.more .*expected one of role, password, allow$/],
  ])("with %j leaves that user out and says why", async (members, expected) => {
    const text = `[user.x]\npassword = "long enough"\n${members}\n${user("bob")}`;
    const { users, problems } = await read(text);
    expect(users?.map(({ name }) => name)).toEqual(["bob"]);
    expect(problems).toEqual([expect.stringMatching(expected)]);
  });

  test.each([
    'password = "short"',
    "password = 1",
    'password = "0"',
    'password = """secret words"""',
    'password = "secret \\u0041 words"',
    "",
    `password = "${"x".repeat(513)}"`,
  ])("with %j has no password for that user, and says nothing of it", async (line) => {
    const { users, problems } = await read(`[user.x]\nrole = "reader"\n${line}\n`);
    expect(users).toEqual([]);
    expect(problems).toEqual([
      "Cannot use user.x.password in users.toml: no such value seen, expected 8 to 512 bytes in quotes, " +
        "on a line of its own",
    ]);
  });

  test("without a name that can be used leaves that user out", async () => {
    const bad = ["default", '"a b"', `"${"x".repeat(65)}"`];
    const { users, problems } = await read(
      bad.map((name, at) => user(name, "", `password ${at}`)).join("") + user("bob"),
    );
    expect(users?.map(({ name }) => name)).toEqual(["bob"]);
    expect(problems.length).toBe(bad.length);
  });

  test("with one password for two has but the first of them", async () => {
    const { users, problems } = await read(
      user("a", "", "the same one") + user("b", "", "the same one"),
    );
    expect(users?.map(({ name }) => name)).toEqual(["a"]);
    expect(problems).toEqual([expect.stringMatching(/user\.b\.password .*that of a seen/)]);
  });

  test("with more than 256 users has the first of them", async () => {
    const all = Array.from({ length: 257 }, (_, index) => user(`u${index}`)).join("");
    const { users, problems } = await read(all);
    expect([users?.length, problems.length]).toEqual([256, 1]);
  });

  test.each([
    "[user.x",
    "user = 3",
    "[constructor]\na = 1",
    "\u0000",
    '[user.x]\npassword = "secret words" more',
    'password = "secret words',
  ])("that is wrong as a whole (%j) is no file, without its words in the answer", async (text) => {
    const { users, problems } = await read(text);
    expect(users ?? []).toEqual([]);
    expect(problems.length).toBe(1);
    expect(problems[0]).not.toContain("secret");
  });

  test("tells who is another one than before", async () => {
    const { users } = await read(user("a") + user("b") + user("c") + user("d"));
    const changed =
      user("b", "", "another word") + user("c", 'allow = ["x"]') + user("d") + user("e");
    const { users: after } = await read(user("a") + changed, users ?? []);
    expect(after?.map(({ name, isOther }) => [name, isOther])).toEqual([
      ["a", false],
      ["b", true],
      ["c", true],
      ["d", false],
      ["e", true],
    ]);
  });
});
