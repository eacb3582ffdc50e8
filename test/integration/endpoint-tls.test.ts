import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { type AddressInfo, connect as connectPlain, createServer } from "node:net";
import { join, resolve } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import type { EndpointLimits } from "../../src/api/endpoint-limits.ts";
import { ownCertificate } from "../../src/api/tls-certificate.ts";
import { EndpointLab, PASSWORD } from "./support/endpoint.ts";
import { RawConnection, request } from "./support/raw-connection.ts";

const PYTHON_PACKAGES = resolve(".node0/cache/python");
const run = promisify(execFile);
const AUTH = request("AUTH", PASSWORD);
const PING = request("PING");

const cleanUps: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function openLab(
  limits: Partial<EndpointLimits> = {},
  tls: "on" | "required" = "on",
): Promise<EndpointLab> {
  const lab = await EndpointLab.open(limits, tls);
  cleanUps.push(() => lab.stop());
  return lab;
}

async function openRaw(lab: EndpointLab): Promise<RawConnection> {
  const raw = await RawConnection.open(lab.port);
  cleanUps.push(() => raw.close());
  return raw;
}

async function openTls(lab: EndpointLab): Promise<TLSSocket> {
  const socket = connect({ port: lab.port, host: "127.0.0.1", rejectUnauthorized: false });
  cleanUps.push(() => void socket.destroy());
  await once(socket, "secureConnect");
  return socket;
}

/** Sends requests and waits until so many bytes have come back. */
async function exchange(socket: TLSSocket, bytes: string, count: number): Promise<string> {
  let received = "";
  socket.write(bytes);
  while (received.length < count) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    received += chunk.toString("latin1");
  }
  return received;
}

async function allClosed(lab: EndpointLab): Promise<void> {
  while (lab.endpoint.connectionCount > 0) await new Promise((next) => setTimeout(next, 10));
}

const own = (lab: EndpointLab): string => join(lab.directory, "endpoint.crt");

/** A certificate of somebody else, in the place of a private configuration. */
function writePrivate(lab: EndpointLab, name: string): void {
  const [key, certificate] = [join(lab.directory, "tls.key"), join(lab.directory, "tls.crt")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const files = ["-nodes", "-keyout", key, "-out", certificate];
  const args = ["req", "-x509", ...curve, ...files, "-subj", `/CN=${name}`];
  execFileSync("openssl", args, { stdio: "ignore" });
}

describe("one port", () => {
  test("speaks TLS and plain, and a plain client costs no certificate", async () => {
    const lab = await openLab();
    const raw = await openRaw(lab);
    await raw.exchange(AUTH + PING, "+OK\r\n+PONG\r\n");
    expect(existsSync(own(lab))).toBe(false);
    const secure = await openTls(lab);
    expect(await exchange(secure, AUTH + PING, 12)).toBe("+OK\r\n+PONG\r\n");
    expect(statSync(join(lab.directory, "endpoint.key")).mode & 0o777).toBe(0o600);
    await raw.exchange(PING, "+PONG\r\n");
    expect(lab.endpoint.counters.tlsConnections).toBe(1);
  });

  test("a hello that comes byte by byte is one", async () => {
    const lab = await openLab();
    const port = await openByteProxy(lab);
    const secure = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    cleanUps.push(() => void secure.destroy());
    await once(secure, "secureConnect");
    expect(await exchange(secure, AUTH + PING, 12)).toBe("+OK\r\n+PONG\r\n");
  });

  test("required: a plain client is told and closed, the unix socket is as before", async () => {
    const lab = await openLab({}, "required");
    const raw = await openRaw(lab);
    raw.send(AUTH);
    expect(await raw.closed()).toBe("-ERR this port speaks TLS only\r\n");
    const secure = await openTls(lab);
    expect(await exchange(secure, AUTH, 5)).toBe("+OK\r\n");
    const local = await RawConnection.open(lab.path);
    cleanUps.push(() => local.close());
    await local.exchange(PING, "+PONG\r\n");
    expect(lab.endpoint.counters.plainRefused).toBe(1);
  });

  test("many requests at once and large replies come through whole", async () => {
    const lab = await openLab();
    const secure = await openTls(lab);
    const value = "x".repeat(3_000_000);
    const wanted = `+OK\r\n+OK\r\n$${value.length}\r\n${value}\r\n${"+PONG\r\n".repeat(5000)}`;
    const bytes = AUTH + request("SET", "a", value) + request("GET", "a") + PING.repeat(5000);
    const seen = await exchange(secure, bytes, wanted.length);
    expect(seen === wanted).toBe(true);
  });

  test("a client that takes nothing is closed", async () => {
    const limits = { pauseOutputBytes: 100_000, maxOutputBytes: 2_000_000, stallTimeoutMs: 300 };
    const lab = await openLab(limits);
    const secure = await openTls(lab);
    await exchange(secure, AUTH + request("SET", "a", "x".repeat(1_000_000)), 10);
    secure.pause();
    secure.write(request("GET", "a").repeat(50));
    await allClosed(lab);
    expect(lab.endpoint.counters.slowReadersClosed).toBe(1);
  });
});

describe("handshakes", () => {
  test("one that stalls is closed when the time to log in is over", async () => {
    const lab = await openLab({ guestTimeoutMs: 300 });
    const raw = await openRaw(lab);
    raw.send("\x16\x03\x01\x02\x00\x01");
    await raw.closed();
    await allClosed(lab);
    expect(lab.endpoint.counters).toMatchObject({ guestTimeouts: 1, tlsFailures: 1 });
  });

  test("a client that never logs in after its handshake is closed too", async () => {
    const lab = await openLab({ guestTimeoutMs: 500 });
    const secure = await openTls(lab);
    secure.resume();
    await once(secure, "close");
    expect(lab.endpoint.counters.guestTimeouts).toBe(1);
  });

  test("what only begins like one is closed", async () => {
    const lab = await openLab();
    const raw = await openRaw(lab);
    raw.send(`\x16${"GET / HTTP/1.1\r\n".repeat(100_000)}`);
    await raw.closed();
    await allClosed(lab);
    expect(lab.endpoint.counters.tlsFailures).toBe(1);
  });

  test("of too many at the same time the oldest makes room", async () => {
    const lab = await openLab();
    const first = await openRaw(lab);
    first.send("\x16\x03\x01");
    const others: RawConnection[] = [];
    for (let count = 0; count < 1024; count += 1) {
      const other = await openRaw(lab);
      other.send("\x16\x03\x01");
      others.push(other);
    }
    await first.closed();
    expect(others.filter(({ isClosed }) => isClosed).length).toBe(0);
    const secure = await openTls(lab);
    expect(await exchange(secure, AUTH, 5)).toBe("+OK\r\n");
  });

  test("a client that goes away in the middle leaves nothing", async () => {
    const lab = await openLab();
    for (let count = 0; count < 50; count += 1) {
      const raw = await RawConnection.open(lab.port);
      raw.send("\x16\x03\x01\x00\x50");
      raw.close();
    }
    await allClosed(lab);
    expect(lab.endpoint.counters.guestBytes).toBe(0);
  });
});

describe("certificate", () => {
  test("its own is the same after a restart, and openssl finds nothing wrong with it", async () => {
    const lab = await openLab();
    const secure = await openTls(lab);
    const { fingerprint256 } = secure.getPeerCertificate();
    expect(lab.endpoint.certificate).toMatchObject({ origin: "own", fingerprint: fingerprint256 });
    const info = await exchange(secure, AUTH + request("INFO", "tls"), 150);
    expect(info).toContain(`tls_certificate:own\r\ntls_fingerprint:${fingerprint256}\r\n`);
    expect(ownCertificate(lab.directory).fingerprint).toBe(fingerprint256);
    const { stdout } = await run("openssl", ["x509", "-in", own(lab), "-noout", "-text"]);
    for (const part of [
      "Subject: CN = node0",
      "NIST CURVE: P-256",
      "DNS:node0",
      "Digital Signature",
      "TLS Web Server Authentication",
      "ecdsa-with-SHA256",
    ]) {
      expect(stdout).toContain(part);
    }
    const verify = ["verify", "-CAfile", own(lab), "-verify_hostname", "node0", own(lab)];
    expect((await run("openssl", verify)).stdout).toContain("OK");
  });

  test("that of the private configuration is shown instead, after a reload", async () => {
    const lab = await openLab();
    await openTls(lab);
    expect(await lab.endpoint.reload()).toEqual([]);
    expect(lab.endpoint.certificate?.origin).toBe("own");
    writePrivate(lab, "private");
    expect(await lab.endpoint.reload()).toEqual([]);
    const secure = await openTls(lab);
    expect(secure.getPeerCertificate().subject).toEqual({ CN: "private" });
    writePrivate(lab, "newer");
    await lab.endpoint.reload();
    expect((await openTls(lab)).getPeerCertificate().subject).toEqual({ CN: "newer" });
    expect(await exchange(secure, AUTH, 5)).toBe("+OK\r\n");
  });

  test("a key that does not belong to it is refused with both names, what was shown stays", async () => {
    const lab = await openLab();
    writePrivate(lab, "private");
    await openTls(lab);
    const certificate = readFileSync(join(lab.directory, "tls.crt"));
    writePrivate(lab, "newer");
    execFileSync("tee", [join(lab.directory, "tls.crt")], { input: certificate, stdio: "pipe" });
    const [problem = ""] = await lab.endpoint.reload();
    expect(problem).toMatch(/^Cannot use .*tls\.key: not the key of .*tls\.crt, expected the one/);
    expect((await openTls(lab)).getPeerCertificate().subject).toEqual({ CN: "private" });
  });

  test("a FIFO in its place stops nobody", async () => {
    const lab = await openLab();
    execFileSync("mkfifo", [join(lab.directory, "tls.crt")]);
    const secure = await openTls(lab);
    expect(secure.getPeerCertificate().subject).toEqual({ CN: "node0" });
    expect(lab.log.lines.map(([, message]) => message)).toContain("certificate not used");
  });
});

describe("other programs", () => {
  test("openssl s_client verifies the certificate and gets an answer", async () => {
    const lab = await openLab();
    await openTls(lab);
    const target = ["-connect", `127.0.0.1:${lab.port}`, "-servername", "node0"];
    const check = ["-CAfile", own(lab), "-verify_return_error", "-verify_hostname", "node0"];
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const args = ["s_client", "-quiet", "-no_ign_eof", version, ...target, ...check];
      const child = spawn("openssl", args, { stdio: ["pipe", "pipe", "ignore"] });
      child.stdin.write(AUTH + PING + request("QUIT"));
      const chunks: Buffer[] = [];
      child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
      await once(child, "close");
      expect(Buffer.concat(chunks).toString()).toBe("+OK\r\n+PONG\r\n+OK\r\n");
    }
    const old = await run("openssl", ["s_client", "-tls1_1", ...target]).catch(
      (error: { stdout: string }) => error,
    );
    expect(old.stdout).toContain("New, (NONE)");
  });

  test("redis-cli --tls, with and without looking at the certificate", async () => {
    const lab = await openLab();
    await openTls(lab);
    const env = { ...process.env, REDISCLI_AUTH: PASSWORD };
    const base = ["-p", String(lab.port), "--tls", "--sni", "node0"];
    for (const check of [["--insecure"], ["--cacert", own(lab)]]) {
      const { stdout } = await run("redis-cli", [...base, ...check, "PING"], { env });
      expect(stdout.trim()).toBe("PONG");
    }
    const strict = await run("redis-cli", [...base, "--cacert", "/dev/null", "PING"], {
      env,
    }).catch((error: Error & { stderr: string }) => error);
    expect(strict.stderr).not.toBe("");
  });

  test.skipIf(!existsSync(PYTHON_PACKAGES))(
    "redis-py without verification runs a job (needs what scripts/setup installs)",
    async () => {
      const lab = await openLab();
      const fixture = resolve("test/fixtures/redis-client.py");
      const { stdout } = await run("python3", [fixture, String(lab.port), "2", "tls"], {
        env: { ...process.env, PASSWORD, PYTHONPATH: PYTHON_PACKAGES },
      });
      expect(JSON.parse(stdout)).toMatchObject({ ping: true, state: "SUCCESS", direct: '"PONG"' });
      expect(lab.endpoint.counters.tlsConnections).toBeGreaterThan(0);
    },
  );
});

/** A port that hands what comes to the endpoint in single bytes. */
async function openByteProxy(lab: EndpointLab): Promise<number> {
  const server = createServer((client) => {
    const behind = connectPlain(lab.port, "127.0.0.1");
    behind.setNoDelay(true);
    client.on("data", (chunk: Buffer) => {
      for (const byte of chunk) behind.write(Buffer.of(byte));
    });
    behind.pipe(client);
    for (const socket of [client, behind]) socket.on("error", () => {});
    client.on("close", () => behind.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => void server.close());
  return (server.address() as AddressInfo).port;
}
