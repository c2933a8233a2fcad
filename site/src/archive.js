// Binaries in archives: tar, gzip and zip. The browser inflates. An archive is not trusted: names are texts, and sizes are
// bounded by what was inflated.

/** Bytes that are inflated of one archive, and entries that are looked at. */
const MAX_INFLATED = 512 << 20, MAX_ENTRIES = 20_000;
const BLOCK = 512;

const startsWith = (bytes, ...magic) => magic.every((byte, nth) => bytes[nth] === byte);
const isWasm = (bytes) => startsWith(bytes, 0x00, 0x61, 0x73, 0x6d);
const slice = async (file, start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer());

/** The binaries in an archive, as files; undefined if the file is not an archive. */
export async function binariesIn(file) {
  const head = await slice(file, 0, BLOCK);
  if (startsWith(head, 0x1f, 0x8b)) return fromStream(new Inflated(file, "gzip"), file.name.replace(/\.gz$/, ""));
  if (startsWith(head, 0x50, 0x4b, 0x03, 0x04)) return fromZip(file);
  if (isTarHeader(head)) return fromStream(new Stored(file), file.name);
  return undefined;
}

/** A tar archive, or one binary. */
async function fromStream(source, name) {
  const head = await source.take(BLOCK, { mayEnd: true });
  if (isWasm(head)) return [new File([head, ...(await source.rest())], name)];
  const found = [];
  let header = head, pax = {};
  for (let entries = 0; header.length === BLOCK && header.some((byte) => byte !== 0); entries++) {
    if (entries >= MAX_ENTRIES) throw new Error(`${name}: the archive has more than ${MAX_ENTRIES} entries`);
    if (!isTarHeader(header)) throw new Error(`${name}: the archive is malformed: the header of an entry is not valid`);
    const type = String.fromCharCode(header[156]);
    const size = "xgLK".includes(type) ? octal(header, 124, 12) : Number(pax.size ?? octal(header, 124, 12));
    if (!Number.isSafeInteger(size) || size < 0) throw new Error(`${name}: the archive is malformed: an entry has no valid size`);
    const padding = (BLOCK - (size % BLOCK)) % BLOCK;
    if (type === "x" || type === "L") {
      const data = await source.take(size);
      pax = { ...pax, ...(type === "x" ? paxRecords(data) : { path: text(data, 0, data.length) }) };
      await source.skip(padding);
    } else {
      const start = await source.take(Math.min(size, 4));
      if ((type === "0" || type === "\0" || type === "7") && isWasm(start)) {
        found.push(new File([start, await source.take(size - 4)], pax.path ?? nameOf(header)));
      } else {
        await source.skip(size - start.length);
      }
      await source.skip(padding);
      pax = type === "g" ? pax : {};
    }
    header = await source.take(BLOCK, { mayEnd: true });
  }
  return found;
}

/** The entries of a zip archive's directory. An entry is inflated to its first bytes, and whole if it is a binary. */
async function fromZip(file) {
  const malformed = (reason) => new Error(`${file.name}: the archive is malformed: ${reason}`);
  const tailStart = Math.max(0, file.size - 65_557), tail = await slice(file, tailStart, file.size);
  const end = tail.findLastIndex((_, at) => startsWith(tail.subarray(at, at + 4), 0x50, 0x4b, 0x05, 0x06) && at + 22 <= tail.length);
  if (end < 0) throw malformed("it has no directory");
  const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tailView = view(tail);
  const count = tailView.getUint16(end + 10, true), length = tailView.getUint32(end + 12, true), start = tailView.getUint32(end + 16, true);
  if (count === 0xffff || start === 0xffff_ffff) throw new Error(`${file.name}: zip64 archives are not opened: use \`sectile audit\``);
  const directory = await slice(file, start, start + length), records = view(directory);
  const found = [];
  let at = 0, budget = MAX_INFLATED;
  for (let nth = 0; nth < Math.min(count, MAX_ENTRIES); nth++) {
    if (at + 46 > directory.length || records.getUint32(at, true) !== 0x02014b50) throw malformed("its directory is truncated");
    const [flags, method] = [records.getUint16(at + 8, true), records.getUint16(at + 10, true)];
    const compressed = records.getUint32(at + 20, true), local = records.getUint32(at + 42, true);
    const [nameLength, extra, comment] = [28, 30, 32].map((field) => records.getUint16(at + field, true));
    const name = text(directory, at + 46, nameLength, false);
    at += 46 + nameLength + extra + comment;
    if ((flags & 1) !== 0 || compressed < 4 || (method !== 0 && method !== 8)) continue; // encrypted, empty, or another method
    const header = await slice(file, local, local + 30);
    if (header.length < 30 || !startsWith(header, 0x50, 0x4b, 0x03, 0x04)) throw malformed("the header of an entry is not valid");
    const dataStart = local + 30 + view(header).getUint16(26, true) + view(header).getUint16(28, true);
    const data = file.slice(dataStart, dataStart + compressed);
    const source = method === 0 ? new Stored(data) : new Inflated(data, "deflate-raw", budget);
    const first = await source.take(4, { mayEnd: true });
    if (isWasm(first)) found.push(new File(method === 0 ? [data] : [first, ...(await source.rest())], name));
    budget -= source.taken;
    await source.cancel();
  }
  return found;
}

/** The bytes of a blob, in order. Those that are skipped are not read. */
class Stored {
  taken = 0;
  #blob;
  #at = 0;

  constructor(blob) {
    this.#blob = blob;
  }

  async take(length, { mayEnd = false } = {}) {
    const bytes = await slice(this.#blob, this.#at, this.#at + length);
    if (bytes.length < length && !mayEnd) throw new Error("the archive is truncated");
    this.#at += bytes.length;
    return bytes;
  }

  async skip(length) {
    if (this.#at + length > this.#blob.size) throw new Error("the archive is truncated");
    this.#at += length;
  }

  async rest() {
    return [this.#blob.slice(this.#at)];
  }

  async cancel() {}
}

/** The inflated bytes of a blob, in order. */
class Inflated {
  taken = 0;
  #reader;
  #chunks = [];
  #length = 0;
  #budget;

  constructor(blob, format, budget = MAX_INFLATED) {
    this.#reader = blob.stream().pipeThrough(new DecompressionStream(format)).getReader();
    this.#budget = budget;
  }

  async #fill(length) {
    while (this.#length < length) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      this.taken += value.length;
      if (this.taken > this.#budget) {
        await this.cancel();
        throw new Error(`the archive has more than ${MAX_INFLATED >> 20} MiB inflated: use \`sectile audit\``);
      }
      this.#chunks.push(value);
      this.#length += value.length;
    }
  }

  /** Removes bytes from the chunks. */
  #remove(length, visit) {
    this.#length -= length;
    while (length > 0) {
      const chunk = this.#chunks[0], part = chunk.subarray(0, length);
      visit?.(part);
      length -= part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
  }

  async take(length, { mayEnd = false } = {}) {
    await this.#fill(length);
    if (this.#length < length && !mayEnd) throw new Error("the archive is truncated");
    const bytes = new Uint8Array(Math.min(length, this.#length));
    let at = 0;
    this.#remove(bytes.length, (part) => {
      bytes.set(part, at);
      at += part.length;
    });
    return bytes;
  }

  async skip(length) {
    while (length > 0) {
      await this.#fill(1);
      if (this.#length === 0) throw new Error("the archive is truncated");
      const part = Math.min(length, this.#length);
      this.#remove(part);
      length -= part;
    }
  }

  /** All bytes to the end. */
  async rest() {
    await this.#fill(Infinity);
    return this.#chunks.splice(0);
  }

  async cancel() {
    await this.#reader.cancel().catch(() => {});
  }
}

/** Whether the checksum of a tar header is right. */
function isTarHeader(header) {
  if (header.length < BLOCK) return false;
  const sum = header.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return sum === octal(header, 148, 8);
}

/** A number of a tar header: octal digits, or binary if the first bit is set. */
function octal(header, start, length) {
  if ((header[start] & 0x80) !== 0) {
    return header.subarray(start + 1, start + length).reduce((number, byte) => number * 256 + byte, header[start] & 0x7f);
  }
  const digits = text(header, start, length).trim();
  return /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : NaN;
}

function nameOf(header) {
  const prefix = text(header, 257, 5) === "ustar" ? text(header, 345, 155) : "";
  return `${prefix === "" ? "" : `${prefix}/`}${text(header, 0, 100)}`;
}

/** The records of a pax header: `LENGTH KEY=VALUE` and a line feed. */
function paxRecords(data) {
  const records = {};
  for (let at = 0; at < data.length;) {
    const [, length] = /^(\d+) /.exec(text(data, at, 20)) ?? [];
    if (!(Number(length) > 0)) break;
    const [, key, value] = /^\d+ ([^=]*)=([^]*)\n$/.exec(text(data, at, Number(length), false)) ?? [];
    if (key === "path" || key === "size") records[key] = value;
    at += Number(length);
  }
  return records;
}

/** The text of a field. Most fields end with the first NUL. */
function text(bytes, start, length, endsWithNul = true) {
  const field = bytes.subarray(start, start + length), end = endsWithNul ? field.indexOf(0) : -1;
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}
