import { expect, test } from "vitest";
import { LOGGING_KEYS } from "../../../src/config/node-config-logging.ts";

const address = LOGGING_KEYS.find(({ path }) => path.join(".") === "logging.remote.address");

test.each(["", "log.example:514", "192.0.2.1:6514", "[2001:db8::1]:514", "host_1:65535"])(
  "%j is an address of a remote log",
  (value) => {
    expect(address?.isAllowed(value)).toBe(true);
  },
);

test.each(["host", "host:", ":514", "host:0", "host:65536", "2001:db8::1:514", "tcp://h:1", 514])(
  "%j is none",
  (value) => {
    expect(address?.isAllowed(value)).toBe(false);
  },
);
