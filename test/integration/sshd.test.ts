import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SshLab } from "./support/ssh-lab.ts";

const SOON = { timeout: 20_000 };
const LIMIT_MS = 60_000;

let lab: SshLab;
beforeEach(async () => {
  lab = await SshLab.open();
}, LIMIT_MS);
afterEach(() => lab.stop());

const reached = (): string | undefined => lab.lines.at(-1)?.reached;
const master = (): string => lab.shell("cat /run/node0/services/sshd.json");

async function start(): Promise<void> {
  lab.start();
  await expect.poll(reached, SOON).toBeDefined();
}

/** A session that answers each line it gets. */
function openSession(): { ask: (text: string) => Promise<string>; end: () => void } {
  const child = lab.client("ssh", ["root@127.0.0.1", "cat"]);
  return {
    ask: async (text) => {
      child.stdin?.write(`${text}\n`);
      const [part] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
      return part.toString().trim();
    },
    end: () => child.kill(),
  };
}

test(
  "root by key runs a command; the host key is the one of the private configuration",
  async () => {
    await start();
    const listed = execFileSync("ssh-keygen", ["-lf", join(lab.directory, "host.pub")], {
      encoding: "utf8",
    });
    expect(reached()).toBe(`root by key on 127.0.0.1:22, host key ${listed.split(" ")[1]}`);
    expect(await lab.run("ssh", ["root@127.0.0.1", "id -un; echo $HOME $SHELL"])).toEqual({
      status: 0,
      output: "root\n/root /bin/sh\n",
    });
    const terminal = await lab.run("ssh", ["-tt", "root@127.0.0.1", "tty"]);
    expect(terminal.output).toMatch(/^\/dev\/pts\/\d+\r\n/);
  },
  LIMIT_MS,
);

test(
  "nobody else gets in: an unknown key, a password, another user",
  async () => {
    await start();
    const refusal = /root@127\.0\.0\.1: Permission denied \(publickey\)\./;
    const stranger = await lab.run("ssh", ["root@127.0.0.1", "id"], { key: "unknown" });
    expect(stranger).toMatchObject({ status: 255, output: expect.stringMatching(refusal) });
    const methods = ["-o", "PreferredAuthentications=password,keyboard-interactive"];
    const typist = await lab.run("ssh", [...methods, "root@127.0.0.1", "id"]);
    expect(typist).toMatchObject({ status: 255, output: expect.stringMatching(refusal) });
    const other = await lab.run("ssh", ["nobody@127.0.0.1", "id"]);
    expect(other.output).toContain("Permission denied (publickey)");
  },
  LIMIT_MS,
);

test(
  "files go over sftp",
  async () => {
    await start();
    const input = `put ${lab.directory}/host.pub /mnt/copy\nls -1 /mnt\n`;
    const { output } = await lab.run("sftp", ["-q", "-b", "-", "root@127.0.0.1"], { input });
    expect(output).toContain("/mnt/copy\n");
    expect(lab.shell(`cmp ${lab.directory}/host.pub /mnt/copy && echo same`)).toBe("same\n");
  },
  LIMIT_MS,
);

test(
  "settings sshd refuses are told, and ours are used",
  async () => {
    lab.writeKey("sshd_config", "PermitRootLogin perhaps\n");
    await start();
    expect(reached()).toMatch(
      /; \/mnt\/etc\/ssh\/sshd_config not used: .*line 1: unsupported option "perhaps"/,
    );
    expect(await lab.run("ssh", ["root@127.0.0.1", "true"])).toMatchObject({ status: 0 });
  },
  LIMIT_MS,
);

test(
  "good settings win over ours, which fill in the rest",
  async () => {
    lab.writeKey("sshd_config", "Port 2222\nListenAddress 127.0.0.1\n");
    await start();
    expect(reached()).toMatch(/^root by key on 127\.0\.0\.1:2222, host key SHA256:\S+$/);
    const words = ["-p", "2222", "root@127.0.0.1"];
    expect(await lab.run("ssh", [...words, "true"])).toMatchObject({ status: 0 });
    const typist = await lab.run("ssh", [...words, "true"], { key: "unknown" });
    expect(typist.output).toContain("Permission denied (publickey)");
  },
  LIMIT_MS,
);

test(
  "own settings that allow passwords bring the question, and no answer is right",
  async () => {
    lab.writeKey(
      "sshd_config",
      "PasswordAuthentication yes\nPermitRootLogin yes\nPermitEmptyPasswords yes\n",
    );
    // That of the host may let anybody in. The image has none: there it is the `*` of /etc/passwd.
    writeFileSync(`${lab.directory}/shadow`, "root:*:20000::::::\n", { mode: 0o600 });
    lab.shell(`mount --bind ${lab.directory}/shadow /etc/shadow`);
    await start();
    // Before the others: sshd makes whoever failed so often wait.
    expect(await lab.run("ssh", ["root@127.0.0.1", "true"])).toMatchObject({ status: 0 });
    for (const password of ["", "*", "root", "x"]) {
      const askpass = `${lab.directory}/askpass`;
      writeFileSync(askpass, `#!/bin/sh\necho '${password}'\n`, { mode: 0o755 });
      const output = lab.shell(
        `SSH_ASKPASS_REQUIRE=force SSH_ASKPASS=${askpass} ssh -v -F /dev/null -o IdentityAgent=none \
          -o PreferredAuthentications=password -o UserKnownHostsFile=${lab.directory}/known_hosts \
          -o NumberOfPasswordPrompts=2 root@127.0.0.1 id 2>&1 || true`,
      );
      expect(output).toContain("Next authentication method: password");
      expect(output).toMatch(/^Permission denied, please try again\.\r?$/m);
      expect(output).toContain("root@127.0.0.1: Permission denied (publickey,password).");
      expect(output).not.toContain("uid=0");
    }
  },
  LIMIT_MS,
);

test(
  "a killed sshd is started again, and the open session lives",
  async () => {
    await start();
    const session = openSession();
    expect(await session.ask("before")).toBe("before");
    const { pid } = JSON.parse(master()) as { pid: number };
    lab.shell(`kill -9 ${pid}`);
    await expect.poll(() => lab.lines.some(({ lost }) => lost !== undefined), SOON).toBe(true);
    await expect.poll(reached, SOON).toBeDefined();
    expect(await session.ask("after")).toBe("after");
    expect(JSON.parse(master())).not.toMatchObject({ pid });
    expect(await lab.run("ssh", ["root@127.0.0.1", "true"])).toMatchObject({ status: 0 });
    session.end();
  },
  LIMIT_MS,
);

test(
  "sshd outlives the agent, and the next agent takes it over",
  async () => {
    await start();
    const before = master();
    const session = openSession();
    expect(await session.ask("before")).toBe("before");
    await lab.kill();
    lab.lines.length = 0;
    expect(await session.ask("alone")).toBe("alone");
    await start();
    expect(master()).toBe(before);
    expect(await session.ask("after")).toBe("after");
    session.end();
  },
  LIMIT_MS,
);

test(
  "sshd moves to another address without ending a session",
  async () => {
    await start();
    const session = openSession();
    expect(await session.ask("before")).toBe("before");
    lab.tell("listen 127.0.0.1:2222");
    await expect.poll(reached, SOON).toMatch(/^root by key on 127\.0\.0\.1:2222,/);
    expect(await session.ask("after")).toBe("after");
    const gone = await lab.run("ssh", ["root@127.0.0.1", "true"]);
    expect(gone.output).toContain("Connection refused");
    expect(await lab.run("ssh", ["-p", "2222", "root@127.0.0.1", "true"])).toMatchObject({
      status: 0,
    });
    session.end();
  },
  LIMIT_MS,
);

test(
  "missing keys are named, and sshd starts as soon as they are there",
  async () => {
    lab.shell("mv /mnt/etc/ssh/authorized_keys /mnt/kept");
    lab.start();
    await expect
      .poll(() => lab.lines.at(-1)?.failed, SOON)
      .toBe("Cannot start sshd: /mnt/etc/ssh/authorized_keys is absent, expected a file");
    lab.shell("mv /mnt/kept /mnt/etc/ssh/authorized_keys");
    await expect.poll(reached, SOON).toBeDefined();
  },
  LIMIT_MS,
);
