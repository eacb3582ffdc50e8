import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { dataAccess } from "../../../src/api/data-access.ts";
import { loadCommands } from "../../../src/api/load-commands.ts";
import { builtin, type NodeCommand } from "../../../src/api/services.ts";
import { ROLES, type Role, type SessionUser } from "../../../src/api/users.ts";
import { openEndpointCore } from "./harness.ts";

/** One for each access, beside those of the node. */
const EXAMPLES: readonly NodeCommand[] = (["read", "operate", "admin"] as const).map((access) =>
  builtin({
    name: `example.${access}`,
    summary: "Does nothing",
    scope: "host",
    access,
    result: "null",
    run: () => null,
  }),
);

let commands: readonly NodeCommand[];
beforeAll(async () => {
  commands = [...(await loadCommands()), ...EXAMPLES];
});

function openAs(role: Role, allow: readonly string[] | null = null) {
  const core = openEndpointCore({ commands });
  const as = (user: SessionUser) => {
    const session = core.openSession();
    session.user = user;
    return (...words: string[]): string => core.start(session, words).reply ?? "waits";
  };
  const user: SessionUser = { name: "bob", role, allow };
  return { ...core, as, ask: as(user), user };
}

const KEYS = ["foreign", "result:7b0e6a3e-0000-4000-8000-000000000000", "stream:x", "logger:x"];

function fill(send: (...words: string[]) => string): void {
  for (const key of KEYS) send("RPUSH", key, "secret", "second");
  send("SET", "text", "secret");
  send("SET", "number", "1");
}

/** Every key with its values and whether it ends. */
function contents(send: (...words: string[]) => string): string[] {
  const keys = send("KEYS", "*").match(/(?<=\n)[a-z][^\r]*/g) ?? [];
  return keys.sort().map((key) => {
    const value =
      send("TYPE", key) === "+list\r\n" ? send("LRANGE", key, "0", "-1") : send("GET", key);
    return `${key} ${send("TTL", key)} ${value}`;
  });
}

const job = (command: string, more: object = {}): string =>
  JSON.stringify({ id: randomUUID(), command, arguments: {}, ...more });

describe("data commands", () => {
  test("each is declared", () => {
    const { table } = openAs("reader");
    const names = table.list().filter(({ access }) => access !== "job");
    expect(names.filter(({ name }) => dataAccess(name) === undefined)).toEqual([]);
    expect(names.length).toBeGreaterThan(50);
  });

  /** Words behind the name that make sense to most commands. */
  const ARGUMENTS = [
    [],
    ["foreign"],
    ["foreign", "1"],
    ["text", "1"],
    ["number", "5"],
    ["foreign", "foreign"],
    ["foreign", "other"],
    ["foreign", "0", "0"],
    ["foreign", "0", "secret"],
    ["foreign", "foreign", "0"],
    ["foreign", "other", "LEFT", "RIGHT"],
    ["foreign", "foreign", "LEFT", "RIGHT", "0"],
    [KEYS[1] ?? "", KEYS[1] ?? ""],
    [KEYS[1] ?? "", "0.01"],
    ["stream:x", "0.01"],
    ["stream:x", "stream:x", "0.01"],
    ["core:default", "core:default"],
    ["core:default", job("example.admin")],
    ["foreign", "core:default", "0"],
    ["text"],
    ["log"],
    ["job:*"],
    ["GET", "*"],
  ];

  test.each(ROLES.slice(0, 2))(
    "a %s changes no key and runs nothing through any of them",
    (role) => {
      const { table, ask, send, engine } = openAs(role);
      fill(send);
      const taken = role === "operator" ? /^(?:stream|logger):/ : /^$/;
      const kept = (): string[] => contents(send).filter((line) => !taken.test(line));
      const before = kept();
      expect(before.length).toBeGreaterThan(2);
      for (const { name, access } of table.list()) {
        if (access === "job") continue;
        for (const words of ARGUMENTS) {
          for (const spelled of [name, name.toUpperCase()]) ask(spelled, ...words);
          expect(kept(), `${name} ${words.join(" ")}`).toEqual(before);
        }
      }
      expect(engine.submitted).toEqual([]);
    },
  );

  test("a reader sees no value but of its own jobs", () => {
    const { table, ask, send } = openAs("reader");
    fill(send);
    for (const { name, access } of table.list()) {
      if (access === "job") continue;
      for (const words of ARGUMENTS) {
        // What the request itself says comes back from ECHO and PING.
        if (words.includes("secret")) continue;
        expect(ask(name, ...words), `${name} ${words.join(" ")}`).not.toContain("secret");
      }
    }
  });

  test("those for administrators are refused by name", () => {
    const { table, ask } = openAs("operator");
    for (const { name, access, arity } of table.list()) {
      if (access !== "admin") continue;
      const words = Array.from({ length: Math.abs(arity) - 1 }, () => "foreign");
      expect(ask(name, ...words)).toBe(
        `-NOPERM this user has no permissions to run the '${name}' command\r\n`,
      );
    }
  });

  test("a key among others that is not allowed is enough", () => {
    const { ask } = openAs("operator");
    expect(ask("BLPOP", "stream:x", "foreign", "0.01")).toMatch(/^-NOPERM/);
    expect(ask("BLPOP", "stream:x", "core:default", "0.01")).toMatch(/^-NOPERM/);
  });
});

/** Ways to write a command object that a careless check would read as something else. */
const WRITINGS: readonly ((name: string, id: string) => string)[] = [
  (command, id) => JSON.stringify({ id, command, arguments: {} }),
  (command, id) => JSON.stringify({ ID: id, Command: command }),
  (command, id) => JSON.stringify({ id, COMMAND: command, arguments: null }),
  (command, id) => `{"id":"${id}","command":"core.ping","command":"${command}"}`,
  (command, id) => `{"id":"${id}","Command":"core.ping","command":"${command}"}`,
  (command, id) => `{"id":"${id}","command":"${escaped(command)}"}`,
  (command, id) => ` \n\t{"id":"${id}" , "command" : "${command}" , "x":{"command":"core.ping"}} `,
  (command, id) => `{"id":"${id}","arguments":{"command":"core.ping"},"command":"${command}"}`,
  (command, id) => JSON.stringify({ id, command: command.toUpperCase() }),
  (command, id) => JSON.stringify({ id, command: `${command} ` }),
  (command, id) => JSON.stringify({ id, command: [command] }),
  (command, id) => JSON.stringify([{ id, command }]),
  (command, id) => `\ufeff${JSON.stringify({ id, command })}`,
  (command, id) => `${JSON.stringify({ id, command })}{}`,
  (command, id) => JSON.stringify({ id, command, __proto__: null, constructor: { command } }),
];

const escaped = (text: string): string =>
  [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");

const MAY: Readonly<Record<Role, readonly string[]>> = {
  reader: ["read"],
  operator: ["read", "operate"],
  admin: ["read", "operate", "admin"],
};

describe.each(ROLES)("jobs of role %s", (role) => {
  test("what it may not run is refused in every writing, directly and through core:default", () => {
    const { ask, engine, send } = openAs(role, role === "admin" ? ["core.ping"] : null);
    const isRefused = ({ name, access }: NodeCommand): boolean =>
      role === "admin" ? name !== "core.ping" : !MAY[role].includes(access);
    const refused = commands.filter(isRefused);
    expect(refused.length).toBeGreaterThan(3);
    for (const { name } of refused) {
      for (const spelled of [name, name.toUpperCase(), mixed(name)]) {
        expect(ask(spelled, "{}"), spelled).toMatch(/^-NOPERM/);
      }
      for (const write of WRITINGS) {
        const text = write(name, randomUUID());
        expect(ask("RPUSH", "core:default", text), text).toMatch(/^-NOPERM/);
        expect(ask("RPUSH", "core:default", job("core.ping"), text), text).toMatch(/^-NOPERM/);
      }
    }
    expect(engine.submitted).toEqual([]);
    expect(send("LLEN", "core:default")).toBe(":0\r\n");
  });

  test("what it may run is run, directly and through core:default", () => {
    const { ask, engine } = openAs(role);
    const allowed = commands.filter(({ access }) => MAY[role].includes(access));
    expect(allowed.length).toBeGreaterThan(3);
    for (const { name } of allowed) {
      expect(ask(name, "{}"), name).toBe("waits");
      expect(ask("RPUSH", "core:default", job(name)), name).toMatch(/^:/);
    }
    expect(engine.submitted.length).toBe(2 * allowed.length);
  });

  test("the flow of the old client works", () => {
    const { ask, sink } = openAs(role);
    const id = randomUUID();
    const [flag, result] = [`result:${id}:flag`, `result:${id}`];
    expect(ask("EXISTS", flag)).toBe(":0\r\n");
    expect(ask("RPUSH", "core:default", job("core.ping", { id, queue: null, stream: true }))).toBe(
      ":1\r\n",
    );
    expect(ask("BRPOPLPUSH", flag, flag, "10")).toBe("$0\r\n\r\n");
    expect(ask("EXISTS", flag)).toBe(":1\r\n");
    expect(ask("LKEYEXISTS", flag)).toBe(":1\r\n");
    expect(ask("BRPOPLPUSH", result, result, "10")).toContain('"state":"SUCCESS"');
    expect(ask("RPOPLPUSH", result, result)).toContain('"state":"SUCCESS"');
    expect(ask("TTL", flag)).toBe(":300\r\n");
    sink.message({ jobId: id, text: "a", level: 1, flags: 1, epochNs: 1n });
    expect(ask("BLPOP", `stream:${id}`, "10")).toContain('"message":"a"');
    expect(ask("BLPOP", `stream:${id}`, "10")).toBe("waits");
  });
});

const mixed = (name: string): string =>
  [...name].map((c, at) => (at % 2 === 0 ? c.toUpperCase() : c)).join("");

describe("a reader", () => {
  test("reaches neither jobs of others nor those of another reader", () => {
    const { as, ask, send } = openAs("reader");
    const others = as({ name: "eve", role: "reader", allow: null });
    const [own, foreign] = [randomUUID(), randomUUID()];
    ask("RPUSH", "core:default", job("core.ping", { id: own }));
    send("RPUSH", "core:default", job("core.ping", { id: foreign }));
    for (const [reader, id] of [
      [others, own],
      [ask, foreign],
    ] as const) {
      for (const key of [`result:${id}`, `result:${id}:flag`]) {
        expect(reader("BRPOPLPUSH", key, key, "1")).toMatch(/^-NOPERM/);
        expect(reader("LRANGE", key, "0", "-1")).toMatch(/^-NOPERM/);
      }
      expect(reader("BLPOP", `stream:${id}`, "1")).toMatch(/^-NOPERM/);
      expect(reader("SUBSCRIBE", `job:${id}`)).toMatch(/^-NOPERM/);
      expect(reader("RPUSH", "core:default", job("core.ping", { id }))).toMatch(/^-NOPERM/);
      expect(reader("core.ping", "{}", JSON.stringify({ id }))).toMatch(/^-NOPERM/);
    }
    expect(ask("LRANGE", `result:${own}`, "0", "-1")).toContain("SUCCESS");
  });

  test.each([
    { queue: "q" },
    { max_restart: 1 },
    { recurring_period: 1 },
    { id: "short" },
    { id: "" },
  ])("cannot submit a job with %j", (more) => {
    const { ask, engine } = openAs("reader");
    expect(ask("RPUSH", "core:default", job("core.ping", more))).toMatch(/^-NOPERM/);
    const { id, ...options } = more as { id?: string };
    if (id !== "") {
      const text = JSON.stringify(id === undefined ? options : { id });
      expect(ask("core.ping", "{}", text)).toMatch(/^-NOPERM/);
    }
    expect(engine.submitted).toEqual([]);
  });

  test("listens to the boot and to its own jobs alone", () => {
    const { ask } = openAs("reader");
    const id = randomUUID();
    ask("RPUSH", "core:default", job("core.ping", { id }));
    for (const channel of ["log", "job:x", "job:*", "*"]) {
      expect(ask("SUBSCRIBE", "boot", channel)).toMatch(/^-NOPERM/);
      expect(ask("PSUBSCRIBE", channel)).toMatch(/^-NOPERM/);
    }
    expect(ask("SUBSCRIBE", "boot")).toContain("subscribe");
    expect(ask("SUBSCRIBE", `job:${id}`)).not.toContain("NOPERM");
  });

  test("is counted when it is refused", () => {
    const { ask, counters } = openAs("reader");
    ask("SET", "a", "b");
    ask("example.admin", "{}");
    expect(counters.permissionsDenied).toBe(2);
  });
});

test("a list of commands narrows what the role allows, and widens nothing", () => {
  const { ask } = openAs("operator", ["example.*", "core.ping"]);
  expect(ask("core.ping", "{}")).toBe("waits");
  expect(ask("example.read", "{}")).toBe("waits");
  expect(ask("example.operate", "{}")).toBe("waits");
  expect(ask("example.admin", "{}")).toMatch(/^-NOPERM/);
  expect(ask("info.cpu", "{}")).toMatch(/^-NOPERM/);
});

test("what was a reader's job can be swept only when nobody knows it any more", () => {
  const { ask, clock } = openAs("reader");
  const first = randomUUID();
  ask("RPUSH", "core:default", job("core.ping", { id: first }));
  clock.advance(100_000);
  for (let count = 0; count < 3000; count += 1) ask("RPUSH", "core:default", job("core.ping"));
  expect(ask("LLEN", `result:${first}`)).toBe(":1\r\n");
  expect(ask("LRANGE", `result:${first}`, "0", "-1")).toContain("SUCCESS");
  clock.advance(301_000);
  for (let count = 0; count < 9000; count += 1) ask("RPUSH", "core:default", job("core.ping"));
  expect(ask("LRANGE", `result:${first}`, "0", "-1")).toMatch(/^-NOPERM/);
});
