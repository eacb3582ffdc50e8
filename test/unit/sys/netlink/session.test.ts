import { describe, expect, test } from "vitest";
import { AgentError } from "../../../../src/base/errors.ts";
import { textAttribute } from "../../../../src/sys/netlink/attributes.ts";
import { buildMessage, parseMessages } from "../../../../src/sys/netlink/message.ts";
import {
  MAX_TRIES,
  NetlinkSession,
  type NetlinkSocket,
} from "../../../../src/sys/netlink/session.ts";

const MULTI = 2;
const INTERRUPTED = 0x10;
const ERROR = 2;
const DONE = 3;
const OVERRUN = 4;

/** What the kernel sends in answer to one request; undefined is a datagram that did not fit. */
type Script = (sequence: number) => (Buffer | undefined)[];

/** A kernel that answers each request with the next script. */
class ScriptedKernel {
  readonly #scripts: Script[];
  readonly requests: { type: number; flags: number; socket: number }[] = [];
  opened = 0;
  closed = 0;

  constructor(...scripts: Script[]) {
    this.#scripts = scripts;
  }

  open = (): NetlinkSocket => {
    this.opened += 1;
    const socket = this.opened;
    const queue: (Buffer | undefined)[] = [];
    return {
      send: (bytes) => {
        const [request] = parseMessages(bytes);
        if (request === undefined) throw new Error("no request");
        this.requests.push({ type: request.type, flags: request.flags, socket });
        queue.push(...(this.#scripts.shift()?.(request.sequence) ?? []));
      },
      receive: () => {
        if (queue.length === 0) {
          throw new AgentError("E_NETLINK", "no answer", { fields: { errno: "ETIMEDOUT" } });
        }
        return queue.shift();
      },
      close: () => {
        this.closed += 1;
      },
    };
  };
}

const object = (sequence: number, text: string, flags = MULTI): Buffer =>
  buildMessage({ type: 16, flags, sequence, body: Buffer.from(text.padEnd(4)) });

function result(type: number, sequence: number, errno: number, text = ""): Buffer {
  const code = Buffer.alloc(4);
  code.writeInt32LE(-errno);
  const request =
    type === ERROR
      ? buildMessage({ type: 18, flags: 5, sequence, body: Buffer.alloc(0) })
      : Buffer.alloc(0);
  const words = text === "" ? [] : [textAttribute(1, text)];
  const flags = (text === "" ? 0 : 0x200) | 0x100 | (type === DONE ? MULTI : 0);
  return buildMessage({ type, flags, sequence, body: Buffer.concat([code, request, ...words]) });
}

const done = (sequence: number, errno = 0): Buffer => result(DONE, sequence, errno);

function dump(kernel: ScriptedKernel): string[] {
  const session = new NetlinkSession(kernel.open);
  return session.dump(18, Buffer.alloc(16)).map(({ body }) => body.toString().trim());
}

describe("a dump", () => {
  test("goes over several datagrams to its end mark", () => {
    const kernel = new ScriptedKernel((n) => [
      Buffer.concat([object(n, "a"), object(n, "b")]),
      object(n, "c"),
      done(n),
    ]);
    expect(dump(kernel)).toEqual(["a", "b", "c"]);
    expect(kernel.requests).toEqual([{ type: 18, flags: 0x301, socket: 1 }]);
  });

  test.each<[string, Script]>([
    [
      "the kernel says that its table changed",
      (n) => [object(n, "a", MULTI | INTERRUPTED), done(n)],
    ],
    ["the kernel says so at the end", (n) => [object(n, "a"), result(DONE, n, 4)]],
    ["a datagram did not fit", () => [undefined]],
    [
      "messages were lost",
      (n) => [buildMessage({ type: OVERRUN, flags: 0, sequence: n, body: Buffer.alloc(0) })],
    ],
  ])("is begun again on a new socket when %s", (_why, interrupted) => {
    const kernel = new ScriptedKernel(interrupted, (n) => [object(n, "b"), done(n)]);
    expect(dump(kernel)).toEqual(["b"]);
    expect(kernel.requests.map(({ socket }) => socket)).toEqual([1, 2]);
    expect(kernel.closed).toBe(1);
  });

  test("that is interrupted each time is given up", () => {
    const always = Array.from({ length: 99 }, (): Script => (n) => [object(n, "a", INTERRUPTED)]);
    const kernel = new ScriptedKernel(...always);
    expect(() => dump(kernel)).toThrow(expect.objectContaining({ fields: { errno: "EINTR" } }));
    expect(kernel.requests).toHaveLength(MAX_TRIES);
  });

  test("leaves out what answers another request", () => {
    const kernel = new ScriptedKernel((n) => [
      object(n + 7, "x"),
      object(n, "a"),
      done(n + 7),
      done(n),
    ]);
    expect(dump(kernel)).toEqual(["a"]);
  });

  test.each([[(n: number) => [result(ERROR, n, 1)]], [(n: number) => [done(n, 1)]]])(
    "that is refused names the error",
    (script) => {
      expect(() => dump(new ScriptedKernel(script))).toThrow("Cannot read the network: EPERM");
    },
  );

  test("without an answer or with a malformed one ends, and the next one gets a new socket", () => {
    const kernel = new ScriptedKernel(
      () => [],
      () => [Buffer.alloc(20)],
      (n) => [object(n, "a"), done(n)],
    );
    const session = new NetlinkSession(kernel.open);
    const read = () => session.dump(18, Buffer.alloc(16));
    expect(read).toThrow("no answer");
    expect(read).toThrow("Cannot read netlink message");
    expect(read()).toHaveLength(1);
    expect(kernel).toMatchObject({ opened: 3, closed: 2 });
  });

  test("gives bodies that outlive the buffer they were read into", () => {
    const shared = Buffer.alloc(64);
    const into = (message: Buffer): Buffer => {
      message.copy(shared);
      return shared.subarray(0, message.length);
    };
    const kernel = new ScriptedKernel();
    const session = new NetlinkSession(() => {
      const turns = [(): Buffer => into(object(1, "a")), (): Buffer => into(done(1))];
      return { ...kernel.open(), receive: () => turns.shift()?.() };
    });
    expect(session.dump(18, Buffer.alloc(16))[0]?.body.toString()).toBe("a   ");
  });
});

describe("a request", () => {
  const ask = (script: Script) => {
    const kernel = new ScriptedKernel(script);
    const answer = new NetlinkSession(kernel.open).request(16, 0x600, Buffer.alloc(16));
    return { kernel, answer };
  };

  test("is acknowledged", () => {
    const { kernel, answer } = ask((n) => [result(ERROR, n, 0)]);
    expect(answer).toEqual({ errno: undefined, text: "", messages: [] });
    expect(kernel.requests[0]?.flags).toBe(0x605);
  });

  test("that is refused has the name of the error and the words of the kernel", () => {
    const { answer } = ask((n) => [result(ERROR, n, 17, "Address already assigned")]);
    expect(answer).toMatchObject({ errno: "EEXIST", text: "Address already assigned" });
  });

  test("finds the words behind a copy of the request too", () => {
    const { answer } = ask((n) => {
      const code = Buffer.alloc(4);
      code.writeInt32LE(-22);
      const copy = buildMessage({ type: 16, flags: 5, sequence: n, body: Buffer.alloc(18) });
      const body = Buffer.concat([code, copy, Buffer.alloc(2), textAttribute(1, "bad name")]);
      return [buildMessage({ type: ERROR, flags: 0x200, sequence: n, body })];
    });
    expect(answer).toMatchObject({ errno: "EINVAL", text: "bad name" });
  });

  test("keeps what came before its acknowledgement", () => {
    const { answer } = ask((n) => [object(n, "link", 0), result(ERROR, n, 0)]);
    expect(answer.messages.map(({ body }) => body.toString())).toEqual(["link"]);
  });

  test("with an error number nobody knows still names it", () => {
    expect(ask((n) => [result(ERROR, n, 4000)]).answer.errno).toBe("errno 4000");
  });
});
