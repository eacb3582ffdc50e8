import { errorText } from "../../base/errors.ts";
import { parseNetworkConfig } from "../../config/network-config-parse.ts";
import { PRIVATE_FILES } from "../../vault/controller-api.ts";
import type { UstarEntry } from "../../vault/ustar.ts";
import { checkStartup } from "./check-startup.ts";
import { checkCertificate } from "./client-certificate.ts";
import { PlainTree } from "./plain-tree.ts";
import { checkAuthorizedKeys, completeSshKey, samePublicKey } from "./ssh-keys.ts";
import type { WorkDirectory } from "./work-directory.ts";

/** Also what the endpoint can be given in one line. */
const PASSWORD = /^[\x21-\x7e]{1,512}$/;

/**
 * Checks the files of a private configuration: nothing that a machine needs is missing, and what is
 * there is good.
 *
 * @returns What is wrong, one text each; empty: nothing.
 */
export async function checkContents(
  entries: readonly UstarEntry[],
  {
    node,
    work,
    nowMs,
  }: {
    /** Undefined: the client certificate is still to come. */
    readonly node: string | undefined;
    readonly work: WorkDirectory;
    readonly nowMs: number;
  },
): Promise<string[]> {
  const tree = new PlainTree(entries);
  const needed = node === undefined ? NEEDED : [...CERTIFICATE, ...NEEDED];
  const problems = needed
    .filter((path) => tree.text(path) === undefined)
    .map((path) => `${path} is missing`);
  const strange = entries.filter(({ path }) => !/^[\x20-\x7e]+$/.test(path));
  problems.push(...strange.map(({ path }) => `${JSON.stringify(path)} is not an ASCII name`));
  const [certificate, key, ca] = CERTIFICATE.map((path) => tree.text(path));
  const hasAll = certificate !== undefined && key !== undefined && ca !== undefined;
  if (node !== undefined && hasAll) {
    const found = checkCertificate({ certificate, key, ca }, { node, nowMs });
    problems.push(...found.map((problem) => `${PRIVATE_FILES.clientCertificate}: ${problem}`));
  }
  const password = tree.text(PRIVATE_FILES.redisPassword);
  if (password !== undefined) problems.push(...checkPassword(password));
  const netToml = tree.text(PRIVATE_FILES.netToml);
  if (netToml !== undefined) problems.push(...checkNetToml(netToml));
  problems.push(...checkStartup(tree));
  return [...problems, ...(await checkSsh(tree, work))];
}

const CERTIFICATE = [
  PRIVATE_FILES.clientCertificate,
  PRIVATE_FILES.clientKey,
  PRIVATE_FILES.ca,
] as const;

const NEEDED = [
  PRIVATE_FILES.redisPassword,
  PRIVATE_FILES.sshHostKey,
  `${PRIVATE_FILES.sshHostKey}.pub`,
  PRIVATE_FILES.authorizedKeys,
];

function checkPassword(text: string): string[] {
  const [line = ""] = text.split("\n");
  if (PASSWORD.test(line)) return [];
  return [`${PRIVATE_FILES.redisPassword}: its first line is not 1 to 512 printable ASCII letters`];
}

/** The machine adds it to that of its image, and keeps to the controllers of that. */
function checkNetToml(text: string): string[] {
  const { problems, config } = parseNetworkConfig(text, PRIVATE_FILES.netToml);
  const unused = [
    ...(config.controllers.length > 0 ? ["controllers"] : []),
    ...(config.probes.length > 0 ? ["probes"] : []),
  ];
  const texts = unused.map(
    (what) => `${PRIVATE_FILES.netToml}: ${what} seen, expected none: those of the image stay`,
  );
  return [...problems, ...texts];
}

async function checkSsh(tree: PlainTree, work: WorkDirectory): Promise<string[]> {
  const problems: string[] = [];
  const check = async (found: () => Promise<void>): Promise<void> => {
    try {
      await found();
    } catch (error) {
      problems.push(errorText(error));
    }
  };
  const hostKey = tree.text(PRIVATE_FILES.sshHostKey);
  const publicKey = tree.text(`${PRIVATE_FILES.sshHostKey}.pub`);
  if (hostKey !== undefined && publicKey !== undefined) {
    await check(async () => {
      const complete = await completeSshKey(work, hostKey, PRIVATE_FILES.sshHostKey);
      if (samePublicKey(complete.publicKey, publicKey)) return;
      problems.push(`${PRIVATE_FILES.sshHostKey}.pub is not of ${PRIVATE_FILES.sshHostKey}`);
    });
  }
  const keys = tree.text(PRIVATE_FILES.authorizedKeys);
  if (keys !== undefined) {
    await check(() => checkAuthorizedKeys(work, keys, PRIVATE_FILES.authorizedKeys));
  }
  return problems;
}
