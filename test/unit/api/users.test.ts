import { describe, expect, test } from "vitest";
import { Authenticator } from "../../../src/api/authenticator.ts";
import type { KnownUser } from "../../../src/api/users.ts";
import { parseUsers } from "../../../src/api/users-file.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { openEndpointCore, PASSWORD } from "./harness.ts";

const WRONG = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

async function users(): Promise<readonly KnownUser[]> {
  const text = ["reader", "operator", "admin"]
    .map((role) => `[user.${role}]\nrole = "${role}"\npassword = "secret ${role}"\n`)
    .join("");
  const parsed = await parseUsers(Buffer.from(text), { file: "users.toml", before: [] });
  return parsed.users ?? [];
}

async function openWithUsers(password: string | null = PASSWORD) {
  const core = openEndpointCore({ password });
  core.authenticator.setUsers(await users());
  return core;
}

/** What a guest gets in the end. */
function askAsGuest(core: Awaited<ReturnType<typeof openWithUsers>>) {
  const session = core.openSession(false);
  return (...words: string[]): string => {
    const state = core.start(session, words);
    core.clock.advance(5000);
    return state.reply ?? "waits";
  };
}

describe("users", () => {
  test.each(["AUTH", "HELLO"])("present name and password with %s", async (command) => {
    const ask = askAsGuest(await openWithUsers());
    const given = ["operator", "secret operator"];
    const words = command === "AUTH" ? ["AUTH", ...given] : ["HELLO", "3", "AUTH", ...given];
    expect(ask(...words)).not.toContain("WRONGPASS");
    expect(ask("ACL", "WHOAMI")).toBe("$8\r\noperator\r\n");
    expect(ask("CLIENT", "LIST")).toMatch(/ user=operator /);
  });

  test("are found by their password alone, that of the node first", async () => {
    for (const [password, name] of [
      ["secret reader", "reader"],
      ["secret admin", "admin"],
      [PASSWORD, "default"],
    ] as const) {
      const ask = askAsGuest(await openWithUsers());
      expect(ask("AUTH", password)).toBe("+OK\r\n");
      expect(ask("ACL", "whoami")).toContain(`\n${name}\r`);
      // Clients that were given a password alone say this with RESP3 (wire protocol 2.2).
      const modern = askAsGuest(await openWithUsers());
      expect(modern("HELLO", "3", "AUTH", "default", password)).not.toContain("WRONGPASS");
      expect(modern("ACL", "whoami")).toContain(`\n${name}\r`);
    }
  });

  test.each([
    ["reader", "secret admin"],
    ["admin", PASSWORD],
    ["Reader", "secret reader"],
    ["reader", "secret reader "],
    ["reader", ""],
    ["", "secret reader"],
  ])("%j is not in with %j", async (name, password) => {
    const ask = askAsGuest(await openWithUsers());
    expect(ask("AUTH", name, password)).toBe(WRONG);
    expect(ask("ACL", "WHOAMI")).toBe("-NOAUTH Authentication required.\r\n");
  });

  test("get in where the node has no password", async () => {
    const core = await openWithUsers(null);
    expect(core.authenticator.hasPassword).toBe(true);
    const ask = askAsGuest(core);
    expect(ask("AUTH", "")).toBe(WRONG);
    expect(ask("AUTH", "secret reader")).toBe("+OK\r\n");
  });

  test("may become another one, and nobody by RESET", async () => {
    const ask = askAsGuest(await openWithUsers());
    ask("AUTH", "secret admin");
    expect(ask("SET", "a", "b")).toBe("+OK\r\n");
    ask("AUTH", "secret reader");
    expect(ask("SET", "a", "b")).toMatch(/^-NOPERM/);
    expect(ask("AUTH", "wrong")).toBe(WRONG);
    expect(ask("ACL", "WHOAMI")).toContain("reader");
    ask("RESET");
    expect(ask("ACL", "WHOAMI")).toMatch(/^-NOAUTH/);
  });

  test("hear nothing more of what another one subscribed to", async () => {
    const core = await openWithUsers();
    const session = core.openSession(false);
    core.start(session, ["HELLO", "3", "AUTH", "admin", "secret admin"]);
    core.start(session, ["SUBSCRIBE", "log"]);
    core.start(session, ["AUTH", "secret admin"]);
    expect(session.subscriptions).toBe(1);
    core.start(session, ["AUTH", "secret reader"]);
    expect(session.subscriptions).toBe(0);
  });

  test("that leave the file get in no more", async () => {
    const core = await openWithUsers();
    core.authenticator.setUsers([]);
    expect(askAsGuest(core)("AUTH", "secret reader")).toBe(WRONG);
  });

  test("ACL knows nothing else", async () => {
    const { send } = await openWithUsers();
    expect(send("ACL", "LIST")).toMatch(/^-ERR unknown subcommand/);
    expect(send("ACL", "WHOAMI", "x")).toMatch(/^-ERR /);
  });
});

describe("a network that guesses", () => {
  const LOCKOUT = { failures: 3, timeMs: 60_000 };
  const ADDRESS = "192.0.2.1";

  test("is locked out after so many failures, and by each one after that", () => {
    const clock = new FakeClock();
    const authenticator = new Authenticator(Buffer.from("x"), clock, LOCKOUT);
    expect(authenticator.recordFailure(ADDRESS).isLocked).toBe(false);
    expect(authenticator.recordFailure(ADDRESS).isLocked).toBe(false);
    expect(authenticator.lockedMs(ADDRESS)).toBe(0);
    expect(authenticator.recordFailure(ADDRESS).isLocked).toBe(true);
    expect(authenticator.lockedMs(ADDRESS)).toBe(60_000);
    expect(authenticator.lockedMs("192.0.2.2")).toBe(0);
    clock.advance(60_000);
    expect(authenticator.lockedMs(ADDRESS)).toBe(0);
    expect(authenticator.recordFailure(ADDRESS).isLocked).toBe(true);
    clock.advance(600_001);
    expect(authenticator.recordFailure(ADDRESS).isLocked).toBe(false);
  });

  test("is told so, also with the right password, and gets in when the time is over", async () => {
    const core = await openWithUsers();
    const guests = Array.from({ length: 20 }, () => core.openSession(false));
    for (const guest of guests) core.start(guest, ["AUTH", "wrong"]);
    const ask = askAsGuest(core);
    expect(ask("AUTH", PASSWORD)).toBe(
      "-WRONGPASS too many wrong passwords from this network, none is looked at for another 60 s\r\n",
    );
    expect(core.counters).toMatchObject({
      authenticationFailures: 20,
      lockouts: 1,
      lockedAttempts: 1,
    });
    const elsewhere = core.openSession(false, "198.51.100.7");
    expect(core.start(elsewhere, ["AUTH", PASSWORD]).reply).toBe("+OK\r\n");
    core.clock.advance(60_000);
    expect(ask("AUTH", PASSWORD)).toBe("+OK\r\n");
  });

  test("does not get rid of its failures with the password of a reader", async () => {
    const core = await openWithUsers();
    for (let count = 0; count < 5; count += 1) {
      for (let guess = 0; guess < 4; guess += 1) {
        core.start(core.openSession(false), ["AUTH", "admin", "wrong"]);
      }
      core.start(core.openSession(false), ["AUTH", "secret reader"]);
    }
    expect(core.counters.lockouts).toBe(1);
  });

  test("has a million guesses and a few hundred of them looked at", async () => {
    const core = await openWithUsers();
    const guest = core.openSession(false);
    const GUESSES = 1_000_000;
    const STEP_MS = 10;
    let answered = 0;
    for (let guess = 0; guess < GUESSES; guess += 1) {
      // The dispatcher with its parser is gone through where it makes a difference: this is a million.
      if (guess % 1000 === 0 || core.authenticator.lockedMs(guest.peer.address) === 0) {
        core.start(guest, ["AUTH", "default", `guess ${guess}`]);
      } else {
        core.counters.lockedAttempts += 1;
      }
      answered += 1;
      core.clock.advance(STEP_MS);
    }
    const { authenticationFailures, lockedAttempts } = core.counters;
    expect(answered).toBe(GUESSES);
    expect(authenticationFailures + lockedAttempts).toBe(GUESSES);
    expect(authenticationFailures).toBeLessThan(20 + (GUESSES * STEP_MS) / 60_000 + 1);
    expect(authenticationFailures).toBeGreaterThan(20);
  });
});
