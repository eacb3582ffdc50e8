import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { command } from "../../src/api/commands/web/download.ts";
import type { Services } from "../../src/api/services.ts";
import { parseWith } from "../../src/base/schema.ts";
import { download as storeUrl } from "../../src/sys/download/download.ts";
import { DEFAULT_DOWNLOAD_LIMITS } from "../../src/sys/download/messages.ts";
import { MAX_DOWNLOADS, startDownload } from "../../src/sys/download/start.ts";

const CONTENT = randomBytes(5_000_000);

let directory: string;
const servers: Server[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "node0-download-"));
});

afterEach(async () => {
  for (const server of servers.splice(0)) {
    (server as ReturnType<typeof createServer>).closeAllConnections();
    server.close();
  }
  rmSync(directory, { recursive: true });
});

/** @returns Its URL, without a slash at the end. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const download = (url: string, destination: string, limits = {}) =>
  startDownload(
    { url, destination, limits: { ...DEFAULT_DOWNLOAD_LIMITS, ...limits } },
    new AbortController().signal,
  );

/** The same without a process of its own. */
const direct = (url: string, destination: string, limits = {}) =>
  storeUrl({ url, destination, limits: { ...DEFAULT_DOWNLOAD_LIMITS, ...limits } }, () => {});

const file = () => join(directory, "file");

const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

test("stores what comes, and makes the file with mode 0660", async () => {
  const url = await serve((_request, answer) => answer.end(CONTENT));
  expect(await download(`${url}/a`, file())).toBe(CONTENT.length);
  expect(digest(readFileSync(file()))).toBe(digest(CONTENT));
  expect(statSync(file()).mode & 0o777).toBe(0o660);
});

test("the command returns the destination, and empties a file that is longer", async () => {
  const url = await serve((_request, answer) => answer.end("short"));
  writeFileSync(file(), "something much longer", { mode: 0o600 });
  if (command.kind !== "builtin" || command.args === undefined) throw new Error("no built-in");
  const args = parseWith(command.args, { url, destination: file() });
  const job = { id: "a", emit: () => {}, signal: new AbortController().signal };
  expect(await command.run({} as Services, args, job)).toBe(file());
  expect(readFileSync(file(), "utf8")).toBe("short");
  expect(statSync(file()).mode & 0o777).toBe(0o600);
});

test("the page of an error is stored like any other", async () => {
  const url = await serve((_request, answer) => answer.writeHead(404).end("not here"));
  await direct(url, file());
  expect(readFileSync(file(), "utf8")).toBe("not here");
});

test("bytes are stored as they were sent", async () => {
  let asked = "";
  const url = await serve((request, answer) => {
    asked = String(request.headers["accept-encoding"]);
    answer.writeHead(200, { "content-encoding": "gzip" }).end("no gzip at all");
  });
  await direct(url, file());
  expect(readFileSync(file(), "utf8")).toBe("no gzip at all");
  expect(asked).toBe("identity");
});

test("follows redirects, also relative ones, but not for ever", async () => {
  let asked = 0;
  const url = await serve(({ url: path }, answer) => {
    asked += 1;
    if (path === "/end") answer.end("here");
    else
      answer
        .writeHead(302, { location: path === "/start" ? "next" : path === "/next" ? "/end" : path })
        .end();
  });
  await direct(`${url}/start`, file());
  expect(readFileSync(file(), "utf8")).toBe("here");
  asked = 0;
  await expect(direct(`${url}/loop`, file())).rejects.toThrow("more than 10 redirects");
  expect(asked).toBe(11);
});

test("a redirect leads to http and https alone", async () => {
  const url = await serve((_request, answer) =>
    answer.writeHead(302, { location: "file:///etc/passwd" }).end(),
  );
  await expect(direct(url, file())).rejects.toThrow("redirect to file:, expected http or https");
  expect(readFileSync(file(), "utf8")).toBe("");
});

test("a certificate nobody vouches for is refused", async () => {
  const pem = join(directory, "pem");
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"].concat([
      "-subj",
      "/CN=localhost",
      "-keyout",
      `${pem}.key`,
      "-out",
      pem,
    ]),
    { stdio: "ignore" },
  );
  const options = { key: readFileSync(`${pem}.key`), cert: readFileSync(pem) };
  const server = createTlsServer(options, (_request, answer) => answer.end("secret"));
  server.on("tlsClientError", () => {}).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await expect(direct(`https://localhost:${port}`, file())).rejects.toThrow("self-signed");
  expect(readFileSync(file(), "utf8")).toBe("");
});

test("a server that stops sending is given up, what came stays", async () => {
  const url = await serve((_request, answer) => {
    answer.writeHead(200, { "content-length": "100" });
    answer.write("beginning");
  });
  await expect(download(url, file(), { stallMs: 300 })).rejects.toThrow("nothing came for 0.3 s");
  expect(readFileSync(file(), "utf8")).toBe("beginning");
});

test("a server that never answers is given up", async () => {
  const url = await serve(() => {});
  await expect(direct(url, file(), { stallMs: 300 })).rejects.toThrow("nothing came for 0.3 s");
});

test("a server that sends one byte at a time does not get for ever", async () => {
  const url = await serve((_request, answer) => {
    answer.writeHead(200);
    const timer = setInterval(() => answer.write("x"), 20);
    answer.on("close", () => clearInterval(timer));
  });
  const limits = { stallMs: 300, totalMs: 700 };
  await expect(direct(url, file(), limits)).rejects.toThrow("not done after 0.7 s");
});

test("an answer that breaks off is a failure", async () => {
  const url = await serve((request, answer) => {
    answer.writeHead(200, { "content-length": "100" });
    answer.write("beginning", () => request.socket.destroy());
  });
  await expect(direct(url, file())).rejects.toThrow(`Cannot download from ${url}`);
});

test("there is a largest size", async () => {
  const url = await serve((_request, answer) => answer.end(CONTENT));
  await expect(download(url, file(), { bytes: 100_000 })).rejects.toThrow(
    "more than 100000 bytes came",
  );
  expect(statSync(file()).size).toBeLessThanOrEqual(100_000);
});

test("a file in memory may be as large as its file system", async () => {
  const mounted = join(directory, "memory");
  mkdirSync(mounted);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "node0-download", mounted]);
  try {
    const url = await serve((_request, answer) => answer.end("small"));
    await direct(url, join(mounted, "file"));
    expect(readFileSync(join(mounted, "file"), "utf8")).toBe("small");
    const large = await serve((_request, answer) => answer.end(CONTENT));
    await expect(direct(large, join(mounted, "file"))).rejects.toThrow("ENOSPC");
  } finally {
    execFileSync("umount", ["-l", mounted]);
  }
});

test.each(["fifo", "directory", "/dev/null", "missing/file", ""])(
  "the destination %j is refused without waiting, and nobody is asked",
  async (name) => {
    let isAsked = false;
    const url = await serve((_request, answer) => {
      isAsked = true;
      answer.end();
    });
    if (name === "fifo") execFileSync("mkfifo", [join(directory, name)]);
    if (name === "directory") mkdirSync(join(directory, name));
    const path = name === "" || name.startsWith("/") ? name : join(directory, name);
    await expect(direct(url, path)).rejects.toThrow(`Cannot write ${JSON.stringify(path)}`);
    expect(isAsked).toBe(false);
  },
);

test.each(["", "no url", "ftp://127.0.0.1/", "file:///etc/passwd", "http:///", "javascript:1"])(
  "the URL %j is refused, and no file is made",
  async (url) => {
    await expect(direct(url, file())).rejects.toThrow("expected http or https");
    expect(() => statSync(file())).toThrow("ENOENT");
  },
);

test("nothing of a password in a URL is in the error", async () => {
  const url = await serve((request) => request.socket.destroy());
  const secret = url.replace("http://", "http://user:hidden-word@");
  const failure = await download(`${secret}/path?token=hidden-word`, file()).catch(String);
  expect(failure).toContain("Cannot download from http://127.0.0.1");
  expect(failure).not.toContain("hidden-word");
});

test("there are so many at a time, and each ends with the agent", async () => {
  const url = await serve(() => {});
  const end = new AbortController();
  const running = Array.from({ length: MAX_DOWNLOADS }, (_, at) =>
    startDownload({ url, destination: join(directory, String(at)) }, end.signal).catch(String),
  );
  await expect(download(url, file())).rejects.toThrow(`${MAX_DOWNLOADS} downloads run`);
  end.abort();
  for (const outcome of await Promise.all(running)) expect(outcome).toContain("goes down");
});
