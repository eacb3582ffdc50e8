import { describe, expect, test } from "vitest";
import { parseAgentOptions } from "../../../src/config/agent-options.ts";

describe("options of the agent", () => {
  test("without words it is a machine with its state in /run/node0", () => {
    expect(parseAgentOptions([])).toEqual({
      isHost: false,
      listen: [],
      passwordFile: null,
      socket: "/run/node0/redis.sock",
      stateDir: "/run/node0",
      logLevel: null,
      configFile: null,
    });
  });

  test("on a host addresses may be given more than once", () => {
    const words = ["--host", "--listen", "127.0.0.1:7000", "--listen", "[::1]:7001"];
    expect(parseAgentOptions(words).listen).toEqual([
      { host: "127.0.0.1", port: 7000 },
      { host: "::1", port: 7001 },
    ]);
  });

  test("the socket lies in the state directory unless it is named", () => {
    expect(parseAgentOptions(["--host", "--state-dir", "/tmp/x"]).socket).toBe("/tmp/x/redis.sock");
    expect(parseAgentOptions(["--host", "--socket", "/tmp/s"]).socket).toBe("/tmp/s");
  });

  test.each([
    [["--host", "--listen", "here:x"], /--listen: here:x seen, expected ADDRESS/],
    [["--host", "--listen", "127.0.0.1:0"], /--listen: 127\.0\.0\.1:0 seen/],
    [["--listen", "127.0.0.1:7000"], /--listen: no --host seen/],
    [["--host", "--log-level", "loud"], /loud seen, expected one of debug, info, warn, error/],
    [["--host", "--nonsense"], /Cannot start the agent: .*--nonsense/],
    [["stray"], /Cannot start the agent: .*stray/],
  ])("%j is refused with what is wrong", (words, message) => {
    expect(() => parseAgentOptions(words)).toThrow(message);
  });
});
