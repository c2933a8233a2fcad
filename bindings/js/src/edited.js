// The result of an edit.
import { SectileError } from "./error.js";
import { nodeModule } from "./platform.js";

const RECORD = 24;
/** Bytes that are copied at once. */
const COPY = 1 << 20;

/** A planned edit. The source stays open until `close`, or until the result was read to its end. */
export class Edited {
  #source;
  #plan;

  constructor(source, document, plan) {
    this.#source = source;
    this.#plan = plan;
    this.document = document;
    this.pieces = decode(plan);
  }

  /** Length of the result in bytes. */
  get size() {
    return this.document.new_size;
  }

  /** Whether the result differs from the source. */
  get isChanged() {
    return this.document.written;
  }

  /** The result as bytes. */
  async bytes() {
    const bytes = new Uint8Array(this.size);
    let at = 0;
    for await (const chunk of this.#chunks()) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  /** The result as a stream. */
  stream() {
    const chunks = this.#chunks();
    return new ReadableStream({
      async pull(controller) {
        const { done, value } = await chunks.next();
        done ? controller.close() : controller.enqueue(value);
      },
      cancel: () => chunks.return(),
    });
  }

  /** Writes the result to a file, which is replaced at once. The default is the file that was edited. */
  async write(path = this.#source.path) {
    const fs = nodeModule("node:fs/promises");
    if (path === undefined || !fs) throw new TypeError("give the path of the file to write");
    const given = path instanceof URL ? nodeModule("node:url").fileURLToPath(path) : path;
    const target = await fs.realpath(given).catch(() => given);
    const old = await fs.stat(target).catch(() => undefined);
    if (old && !old.isFile()) throw new SectileError({ kind: "read", message: `${target} is not a regular file` });
    const mode = old && old.mode & 0o7777;
    const temporary = `${target}.${globalThis.crypto.randomUUID()}.tmp`;
    try {
      const file = await fs.open(temporary, "wx", mode);
      try {
        for await (const chunk of this.#chunks()) await file.writeFile(chunk);
        if (mode !== undefined) await file.chmod(mode);
        await file.sync();
      } finally {
        await file.close();
      }
      await fs.rename(temporary, target);
    } catch (error) {
      await fs.rm(temporary, { force: true });
      throw error;
    }
  }

  /** Closes the source. */
  close() {
    this.#source?.close();
    this.#source = undefined;
  }

  async *#chunks() {
    if (!this.#source) throw new TypeError("the edit is closed");
    const source = this.#source;
    try {
      for (const piece of this.pieces) {
        if (piece.insert) {
          yield piece.insert;
          continue;
        }
        let [start, end] = piece.keep;
        while (start < end) {
          const chunk = await source.read(start, Math.min(end, start + COPY));
          if (chunk.length === 0) throw new SectileError({ kind: "read", message: "the source ended early", offset: start });
          start += chunk.length;
          yield chunk;
        }
      }
      if (source.hasChanged()) throw new SectileError({ kind: "read", message: `${source.name} changed while it was read` });
    } finally {
      this.close();
    }
  }
}

/** The pieces of a plan: `{keep: [start, end]}` of the source, or `{insert: bytes}`. */
function decode(plan) {
  const view = new DataView(plan.buffer, plan.byteOffset, plan.byteLength);
  const pieces = [];
  let end = plan.length; // of the records
  for (let at = 0; at < end; at += RECORD) {
    const [kind, start, stop] = [0, 8, 16].map((field) => Number(view.getBigUint64(at + field, true)));
    if (kind === 1) {
      end = Math.min(end, start);
      pieces.push({ insert: plan.subarray(start, stop) });
    } else {
      pieces.push({ keep: [start, stop] });
    }
  }
  return pieces;
}
