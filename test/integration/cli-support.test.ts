import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../../src/cli/cli.ts";
import type { Client } from "../../src/client/client.ts";
import { FakeIo } from "../unit/cli/fake-io.ts";
import { ContractAgent, missingForContract } from "./support/contract-agent.ts";

const missing = missingForContract();
if (missing !== undefined) console.log(`cli-support is skipped: ${missing}`);

/** None of them may be in the archive, each comes from another place. */
const SECRETS = {
  globals: "alpha-7f3a",
  extensionEnv: "bravo-7f3a",
  extensionArgs: "charlie-7f3a",
  jobEnv: "delta-7f3a",
  jobArgs: "echo-7f3a",
  jobStdin: "foxtrot-7f3a",
  jobOutput: "golf-7f3a",
  logText: "hotel-7f3a",
  logUrl: "india-7f3a",
  extensionArguments: "juliett-7f3a",
};

const CONFIG = `
[globals]
mirror = "${SECRETS.globals}"

[extension."lab.wait"]
binary = "sh"
args = ["-c", "sleep 20", "${SECRETS.extensionArgs}", "{word}"]
env = { TOKEN = "${SECRETS.extensionEnv}" }
`;

describe.skipIf(missing !== undefined)("node0 support", () => {
  const agent = new ContractAgent();
  let client: Client;

  const cli = async (...words: string[]) => {
    const io = new FakeIo();
    io.cwd = agent.directory;
    const code = await runCli(["--socket", agent.socket, ...words], io);
    return { code, out: io.out, err: io.err };
  };

  beforeAll(async () => {
    client = await agent.start(CONFIG);
  });
  afterAll(async () => {
    client?.close();
    await agent.stop();
  });

  test("writes an archive of facts that holds no secret", async () => {
    const log = `{"msg":"started","password":"${SECRETS.logText}"}\\nfetch https://me:${SECRETS.logUrl}@host/x\\nplain-line\\n`;
    await client.run("bash", {
      script: `mkdir -p /run/node0; printf '${log}' >/run/node0/agent.log`,
    });
    await client.start("core.system", {
      name: "sh",
      args: ["-c", `echo ${SECRETS.jobOutput}; sleep 20; : ${SECRETS.jobArgs}`],
      env: { API: SECRETS.jobEnv },
      stdin: SECRETS.jobStdin,
    });
    await client.start("lab.wait", { word: SECRETS.extensionArguments }, { id: "the-extension" });
    await client.run("bash", { script: `echo '10::lab.metric:5|A|id=the-instance'` });

    expect(await cli("support", "facts.tar.gz")).toEqual({
      code: 0,
      out: `${join(agent.directory, "facts.tar.gz")}\n`,
      err: "",
    });
    const file = join(agent.directory, "facts.tar.gz");
    expect(statSync(file).mode & 0o077).toBe(0);
    const into = join(agent.directory, "unpacked");
    execFileSync("mkdir", [into]);
    execFileSync("tar", ["xzf", file, "-C", into]);
    const folder = join(into, "node0-support");
    const texts = new Map(
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]),
    );

    for (const [place, secret] of Object.entries(SECRETS)) {
      const found = [...texts].filter(([, text]) => text.includes(secret)).map(([name]) => name);
      expect(found, place).toEqual([]);
    }
    // What is looked through does hold what those secrets stood beside.
    expect(texts.get("config.get.json")).toContain("mirror");
    expect(texts.get("config.get.json")).toContain("lab.wait");
    expect(texts.get("job.list.json")).toContain("the-extension");
    expect(texts.get("job.list.json")).toContain('"program": "sh"');
    expect(texts.get("process.list.json")).toContain('"sleep"');
    expect(texts.get("aggregator.query.json")).toContain("the-instance");
    expect(texts.get("agent.log")).toContain("plain-line");
    const manifest = JSON.parse(texts.get("manifest.json") ?? "") as {
      files: string[];
      missing: Record<string, string>;
    };
    expect(manifest.files).toContain("node0-support/info.mem.json");
    // An agent on a host has no network of its own.
    expect(manifest.missing["net.status.json"]).toContain("406");
  });

  test("goes to standard output, and to a file of its own name", async () => {
    const { out, code } = await cli("support", "-o", "json");
    expect(code).toBe(0);
    const { file } = JSON.parse(out) as { file: string };
    expect(file).toMatch(/\/node0-support-\d{8}T\d{6}Z\.tar\.gz$/);
    expect(execFileSync("tar", ["tzf", file], { encoding: "utf8" })).toContain("info.os.json");
  });

  test("disk and bridge show what the machine has", async () => {
    await client.run("bash", {
      script:
        "ip link add lab0 type bridge; ip link add e0 type veth peer name e1; ip link set e0 master lab0",
    });
    expect(JSON.parse((await cli("bridge", "-o", "json")).out)).toContainEqual({
      name: "lab0",
      nics: ["e0"],
    });
    expect((await cli("bridge", "list", "lab0")).out).toBe("NAME  NICS\nlab0  e0\n");
    expect((await cli("bridge", "list", "no-such")).code).toBe(1);
    expect(await cli("bridge", "create", "lab1", "--cidr", "10.20.0.1/24")).toMatchObject({
      code: 0,
    });
    const { streams } = await client.run("bash", { script: "ip -o -4 addr show dev lab1" });
    expect(streams?.[0]).toContain("10.20.0.1/24");
    expect(await cli("bridge", "delete", "lab1")).toMatchObject({ code: 0 });
    expect((await client.run("bash", { script: "ip link show lab1" })).state).toBe("ERROR");
    expect(await cli("bridge", "create", "lab2", "--nat")).toMatchObject({ code: 2 });
    expect(await cli("bridge", "create", "lab2", "--cidr", "x", "--dhcp", "a")).toMatchObject({
      code: 2,
    });

    const { out } = await cli("disk");
    const names = execFileSync("lsblk", ["-dno", "NAME", "-e", "1,2"], { encoding: "utf8" });
    for (const name of names.trim().split("\n").filter(Boolean)) expect(out).toContain(name);
    expect(out).toMatch(/^NAME +SIZE +TYPE/);
  });
});
