/** Exit status of QEMU when the probe guest reached long mode: (value << 1) | 1 of `isa-debug-exit`. */
export const PROBE_PASSED_STATUS = 0x55;
/** I/O port the guest writes its answer to. */
export const PROBE_EXIT_PORT = 0xf4;

const ROM_BYTES = 0x10000;
const RESET_VECTOR = 0xfff0;
const LONG_MODE_CODE = 0x80;
const DESCRIPTOR_TABLE = 0xc0;
const TABLE_POINTER = 0xd0;

/** Runs in real mode from F000:0000, the alias of the ROM below 1 MiB. */
const REAL_MODE = [
  "fa", // cli
  "31c0 8ed8", // ds = 0
  "66c706 0010 03200000", // page map level 4 at 0x1000: first entry points to 0x2000
  "66c706 0020 03300000", // directory pointers at 0x2000: first entry points to 0x3000
  "66c706 0030 83000000", // directory at 0x3000: the first 2 MiB, mapped to themselves
  "66b8 00100000 0f22d8", // cr3 = 0x1000
  "66b8 20000000 0f22e0", // cr4 = physical address extension
  "66b9 800000c0 0f32 660d 00010000 0f30", // EFER.LME = 1
  "2e0f0116 d000", // lgdt from TABLE_POINTER
  "0f20c0 660d 01000080 0f22c0", // cr0: paging and protection, which turns long mode on
  "66ea 80000f00 0800", // far jump into the 64-bit segment at LONG_MODE_CODE
];

/** Needs 64-bit registers to compute the answer: in any other mode these bytes mean something else. */
const LONG_MODE = [
  "48b8 000000002a000000", // rax = 0x2a << 32
  "48c1e8 20", // rax >>= 32
  "66baf400 ee", // out 0xf4, al
  "f4 ebfd", // hlt, for ever
];

/**
 * A 64 KiB firmware image that enters long mode and writes 0x2a to port 0xf4, nothing else. It is
 * started with `-bios`, so no other firmware runs before it.
 *
 * Source: AMD64 Architecture Programmer's Manual, volume 2, section 14.4 (leaving and entering long
 * mode) and 14.1 (state after reset).
 */
export function buildProbeGuest(): Buffer {
  const rom = Buffer.alloc(ROM_BYTES);
  bytes(REAL_MODE).copy(rom, 0);
  bytes(LONG_MODE).copy(rom, LONG_MODE_CODE);
  bytes(["0000000000000000", "00000000009a2000"]).copy(rom, DESCRIPTOR_TABLE);
  bytes(["0f00", "c0000f00"]).copy(rom, TABLE_POINTER);
  bytes(["ea 0000 00f0"]).copy(rom, RESET_VECTOR);
  return rom;
}

function bytes(lines: readonly string[]): Buffer {
  return Buffer.from(lines.join("").replaceAll(" ", ""), "hex");
}
