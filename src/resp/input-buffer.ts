/**
 * Received bytes that wait to be parsed. A chunk that finds nothing waiting is used as it is; one
 * that does is appended to a buffer of its own which grows by doubling, so that a request arriving
 * byte by byte costs linear time. The owner moves `start` forward as it reads. Bytes may be a password:
 * where they were copied from, they are overwritten.
 */
export class InputBuffer {
  bytes: Buffer = NOTHING;
  /** First unread byte. */
  start = 0;
  /** Behind the last received byte. */
  end = 0;
  #isOwn = false;

  get size(): number {
    return this.end - this.start;
  }

  append(chunk: Buffer): void {
    if (this.start === this.end) {
      this.bytes = chunk;
      this.start = 0;
      this.end = chunk.length;
      this.#isOwn = false;
      return;
    }
    if (!this.#isOwn || this.end + chunk.length > this.bytes.length) this.#makeRoom(chunk.length);
    chunk.copy(this.bytes, this.end);
    chunk.fill(0);
    this.end += chunk.length;
  }

  /** Overwrites what has not been read, and forgets it. */
  discard(): void {
    this.bytes.fill(0, this.start, this.end);
    this.bytes = NOTHING;
    this.start = 0;
    this.end = 0;
    this.#isOwn = false;
  }

  #makeRoom(extraBytes: number): void {
    const size = this.size;
    const needed = size + extraBytes;
    // Moving within the buffer is worth it while at least half of it is free again afterwards;
    // a buffer that has become far too large is given back instead.
    const canReuse = this.#isOwn && needed * 2 <= this.bytes.length;
    const isOversized = this.bytes.length > MIN_BYTES && needed * 16 < this.bytes.length;
    const target =
      canReuse && !isOversized ? this.bytes : Buffer.alloc(Math.max(MIN_BYTES, needed * 2));
    this.bytes.copy(target, 0, this.start, this.end);
    const isSame = target === this.bytes;
    this.bytes.fill(0, isSame ? Math.max(size, this.start) : this.start, this.end);
    this.bytes = target;
    this.start = 0;
    this.end = size;
    this.#isOwn = true;
  }
}

const NOTHING = Buffer.alloc(0);
const MIN_BYTES = 512;
