/** Name of an input without one, as the command calls standard input. */
export const UNNAMED = "-";

/** Bytes in memory. */
export class BytesSource {
  isSynchronous = true;
  name = UNNAMED;

  constructor(bytes) {
    this.bytes = bytes;
    this.size = bytes.length;
  }

  readInto(memory, pointer, length, offset) {
    const part = this.bytes.subarray(offset, offset + length);
    memory.set(part, pointer);
    return part.length;
  }

  async read(start, end) {
    return this.bytes.subarray(start, end);
  }

  hasChanged() {
    return false;
  }

  close() {}
}
