/** One file of an archive. */
export interface TarFile {
  /** At most 100 bytes. */
  readonly name: string;
  readonly content: Uint8Array;
}

const BLOCK = 512;

/** An archive of plain files as POSIX ustar has it, readable for its owner alone. */
export function formatTar(files: readonly TarFile[], timeS: number): Uint8Array {
  const parts = files.flatMap(({ name, content }) => [
    header(name, content.length, timeS),
    content,
    new Uint8Array((BLOCK - (content.length % BLOCK)) % BLOCK),
  ]);
  return Buffer.concat([...parts, new Uint8Array(2 * BLOCK)]);
}

/** Fields of ustar: name 0, mode 100, uid 108, gid 116, size 124, mtime 136, checksum 148, type 156. */
function header(name: string, sizeBytes: number, timeS: number): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, digits: number): void => {
    block.write(`${value.toString(8).padStart(digits, "0")}\0`, offset, "latin1");
  };
  block.write(name, 0, 100, "utf8");
  octal(0o600, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(sizeBytes, 124, 11);
  octal(Math.floor(timeS), 136, 11);
  block.write("        ", 148, "latin1");
  block.write("0", 156, "latin1");
  block.write("ustar\u000000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
