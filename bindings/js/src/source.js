// Sources: bytes, blobs, URLs, and files in Node, Deno and Bun.
import { BytesSource, UNNAMED } from "./bytes.js";
import { SectileError } from "./error.js";
import { HttpSource } from "./http.js";
import { nodeModule } from "./platform.js";

/** Opens what an argument names. The caller closes it. */
export async function open(input, options = {}) {
  if (input instanceof ArrayBuffer) return new BytesSource(new Uint8Array(input));
  if (ArrayBuffer.isView(input)) return new BytesSource(new Uint8Array(input.buffer, input.byteOffset, input.byteLength));
  if (typeof Blob !== "undefined" && input instanceof Blob) return new BlobSource(input);
  const url = input instanceof URL ? input : typeof input === "string" ? parseUrl(input) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return HttpSource.open(url, String(input), options);
  if (typeof input === "string" || url?.protocol === "file:") return FileSource.open(url ?? input, String(input));
  throw new TypeError("expected a path, a URL, a Blob, an ArrayBuffer or a typed array");
}

/** The URL of a text. In browsers, a text may be relative to the page. */
function parseUrl(text) {
  if (/^(https?|file):\/\//i.test(text)) return new URL(text);
  return nodeModule("node:fs") ? undefined : new URL(text, globalThis.location?.href);
}

/** A Blob or File. */
class BlobSource {
  isSynchronous = false;

  constructor(blob) {
    this.blob = blob;
    this.size = blob.size;
    this.name = blob.name ?? UNNAMED;
  }

  async read(start, end) {
    return new Uint8Array(await this.blob.slice(start, end).arrayBuffer());
  }

  hasChanged() {
    return false;
  }

  close() {}
}

/** An open file, read at positions. */
class FileSource {
  isSynchronous = true;

  static open(path, name) {
    const fs = nodeModule("node:fs");
    if (!fs) throw new TypeError("this platform has no files");
    const flags = fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0); // opening a FIFO must not block
    const descriptor = fs.openSync(path, flags);
    try {
      const stat = fs.fstatSync(descriptor);
      if (!stat.isFile()) throw new SectileError({ kind: "read", message: `${name} is not a regular file` });
      return new FileSource(fs, descriptor, stat, path, name);
    } catch (error) {
      fs.closeSync(descriptor);
      throw error;
    }
  }

  constructor(fs, descriptor, stat, path, name) {
    Object.assign(this, { fs, descriptor, stat, path, name });
    this.size = stat.size;
  }

  readInto(memory, pointer, length, offset) {
    return this.fs.readSync(this.descriptor, memory, pointer, length, offset);
  }

  async read(start, end) {
    const bytes = new Uint8Array(end - start);
    return bytes.subarray(0, this.readInto(bytes, 0, bytes.length, start));
  }

  /** Whether the file's size or times have changed since it was opened. */
  hasChanged() {
    const { size, mtimeMs, ctimeMs } = this.fs.fstatSync(this.descriptor);
    return size !== this.stat.size || mtimeMs !== this.stat.mtimeMs || ctimeMs !== this.stat.ctimeMs;
  }

  close() {
    this.fs.closeSync(this.descriptor);
  }
}
