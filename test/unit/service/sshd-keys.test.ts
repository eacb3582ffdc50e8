import { describe, expect, test } from "vitest";
import { fingerprintOf, hostKeyNames, readPublicKey } from "../../../src/service/sshd-keys.ts";

/** Beginning of a key file as ssh-keygen wrote it, without its secret part. */
const START = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQAAACC3XlxcXZuUBoC7esqt/EefvnPdGGoiOTa3CA7XPULYRwAAAIgg
`;
const FINGERPRINT = "SHA256:rjiFYN8+JoORxDLoG/KlgQmWRrnIDMciqfKaiUlzJcI";

describe("the public half of a host key", () => {
  test("is read from the beginning of its file and named as ssh-keygen names it", async () => {
    const key = readPublicKey(Buffer.from(START));
    expect(await fingerprintOf(key ?? Buffer.alloc(0))).toBe(FINGERPRINT);
  });

  test.each(Array.from({ length: START.length - 1 }, (_none, length) => length))(
    "is not read from the first %i bytes where they do not hold all of it",
    async (length) => {
      const key = readPublicKey(Buffer.from(START.slice(0, length)));
      if (key !== undefined) expect(await fingerprintOf(key)).toBe(FINGERPRINT);
    },
  );

  test("is unknown for another format", () => {
    expect(readPublicKey(Buffer.from("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n"))).toBeUndefined();
    expect(readPublicKey(Buffer.from(START.replace("b3Bl", "b3Bm")))).toBeUndefined();
  });
});

test("host keys are known by name, the one that is shown first", () => {
  const names = ["ssh_host_rsa_key", "ssh_host_ed25519_key.pub", "ssh_host_ed25519_key", "x"];
  expect(hostKeyNames(names)).toEqual(["ssh_host_ed25519_key", "ssh_host_rsa_key"]);
});
