// Instances of the core. bindings/wasm/README.md describes the interface.
import { SectileError } from "./error.js";
import { nodeModule } from "./platform.js";

/** Version of the interface that this package is for. */
const ABI = 1;
/** An instance with more memory is discarded, because its memory never shrinks. */
const MAX_MEMORY = 64 << 20;
/** Instances that are kept for later operations. */
const MAX_IDLE = 4;
/** Bytes that are fed at once. After each part, the core tells whether it needs the next bytes. */
const FEED = 64 << 10;

/** Bytes of a source that are read at once, if it is read in order. */
const READ = 1 << 20;

export const Status = { done: 0, refused: 1, partial: 2, failed: 3, needs: 4 };
const Part = { document: 0, error: 1, plan: 2 };

const NOTHING = new Uint8Array(0);

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

let compiled;
const idle = [];

/** Compiles the module once. */
function compile() {
  compiled ??= load().catch((error) => {
    compiled = undefined;
    throw error;
  });
  return compiled;
}

async function load() {
  const url = new URL("../sectile.wasm", import.meta.url);
  const fs = url.protocol === "file:" ? nodeModule("node:fs") : undefined;
  if (fs) return WebAssembly.compile(fs.readFileSync(url));
  const response = await fetch(url);
  if (!response.ok) throw new SectileError({ kind: "read", message: `cannot load ${url}: status ${response.status}` });
  return WebAssembly.compile(await response.arrayBuffer());
}

/** Takes an idle instance, or creates one. */
export async function acquire() {
  const free = idle.pop();
  if (free) return free;
  const core = new Core();
  await core.instantiate(await compile());
  return core;
}

/** An instance, which does one operation at a time. */
export class Core {
  #exports;
  #view = new Uint8Array(0);
  #source;
  #hostError;
  #trapped = false;
  /** Memory for the parts of an upload, and for short requests. */
  #buffer = 0;

  async instantiate(module) {
    const host = { read_at: (_, pointer, length, offset) => this.#readAt(pointer, length, offset) };
    this.#exports = (await WebAssembly.instantiate(module, { host })).exports;
    if (this.#exports.sectile_abi() !== ABI) throw new Error("sectile.wasm is of another version than the package");
    this.#buffer = this.#allocate(FEED);
  }

  /** Makes the instance available, unless it trapped or uses too much memory. */
  release() {
    this.#source = this.#hostError = undefined;
    if (this.#trapped || this.memoryBytes > MAX_MEMORY || idle.length >= MAX_IDLE) return;
    this.#exports.reset();
    idle.push(this);
  }

  get memoryBytes() {
    return this.#exports.memory.buffer.byteLength;
  }

  /** Runs an operation on a source with synchronous reads. */
  run(request, source) {
    this.#source = source;
    const status = this.#withRequest(request, (pointer, length) =>
      this.#call("run", pointer, length, 0, BigInt(source.size)),
    );
    return this.#answer(status);
  }

  /** Runs an operation on a source whose `read(start, end)` returns a promise of bytes. */
  async pull(request, source) {
    let status = this.#withRequest(request, (pointer, length) =>
      this.#call("pull", pointer, length, BigInt(source.size)),
    );
    while (status === Status.needs) {
      const start = Number(this.#call("need_start"));
      const bytes = await source.read(start, Number(this.#call("need_end")));
      if (bytes.length === 0) throw new SectileError({ kind: "read", message: "the source ended early", offset: start });
      const pointer = this.#allocate(bytes.length);
      this.#memory().set(bytes, pointer);
      status = this.#call("supply", pointer, bytes.length, BigInt(start));
    }
    return this.#answer(status);
  }

  /** Runs `read` or `check` on a source in order, without the bytes that are not needed, in bounded memory. */
  async stream(request, source) {
    this.begin(request);
    let at = 0;
    while (at < source.size) {
      const skippable = Math.min(Number(this.#call("skippable")), source.size - at);
      if (skippable > 0) {
        this.#call("skip", BigInt(skippable));
        at += skippable;
        continue;
      }
      const chunk = await source.read(at, Math.min(at + READ, source.size));
      if (chunk.length === 0) throw new SectileError({ kind: "read", message: "the source ended early", offset: at });
      at += chunk.length;
      if (this.feed(chunk) !== Status.done) break;
    }
    return this.end();
  }

  /** Starts an operation on bytes that arrive in order. */
  begin(request) {
    const status = this.#withRequest(request, (pointer, length) => this.#call("begin", pointer, length));
    if (status !== Status.done) this.#answer(status);
  }

  /** Feeds a chunk, without the bytes that are not needed. */
  feed(chunk) {
    let at = 0;
    while (at < chunk.length) {
      const skippable = Math.min(Number(this.#call("skippable")), chunk.length - at);
      let status;
      if (skippable > 0) {
        status = this.#call("skip", BigInt(skippable));
        at += skippable;
      } else {
        const part = chunk.subarray(at, at + FEED);
        this.#memory().set(part, this.#buffer);
        status = this.#call("feed", this.#buffer, part.length);
        at += part.length;
      }
      if (status !== Status.done) return status;
    }
    return Status.done;
  }

  /** Ends the bytes, whose SHA-256 the host may have computed, and returns the answer. */
  end(sha256) {
    if (sha256) this.#memory().set(sha256, this.#buffer);
    return this.#answer(this.#call("end", sha256 ? this.#buffer : 0));
  }

  #answer(status) {
    if (this.#hostError) throw this.#hostError.error;
    const error = this.#output(Part.error);
    const document = this.#output(Part.document);
    const answer = {
      status,
      json: fromUtf8.decode(document),
      error: error.length ? JSON.parse(fromUtf8.decode(error)) : undefined,
      plan: this.#output(Part.plan).slice(),
    };
    if (status === Status.failed) throw new SectileError(answer.error);
    return answer;
  }

  #output(part) {
    const length = this.#call("output_len", part);
    if (length === 0) return NOTHING;
    const pointer = this.#call("output", part);
    return this.#memory().subarray(pointer, pointer + length);
  }

  #withRequest(request, call) {
    this.#hostError = undefined;
    const text = JSON.stringify(request);
    if (text.length * 3 <= FEED) {
      const { written } = utf8.encodeInto(text, this.#memory().subarray(this.#buffer, this.#buffer + FEED));
      return call(this.#buffer, written);
    }
    const bytes = utf8.encode(text);
    const pointer = this.#allocate(bytes.length);
    this.#memory().set(bytes, pointer);
    const status = call(pointer, bytes.length);
    this.#call("free", pointer, bytes.length);
    return status;
  }

  #allocate(length) {
    const pointer = this.#call("alloc", length);
    if (pointer === 0) throw new RangeError("out of memory");
    return pointer >>> 0;
  }

  /** Calls an export. After a trap, the state of the instance is not known. */
  #call(name, ...values) {
    if (this.#trapped) throw new SectileError({ kind: "trap", message: "the instance failed before" });
    try {
      const value = this.#exports[name](...values);
      return typeof value === "bigint" ? BigInt.asUintN(64, value) : value >>> 0;
    } catch (error) {
      this.#trapped = true;
      throw new SectileError({ kind: "trap", message: `the core failed: ${error.message}` }, { cause: error });
    }
  }

  #memory() {
    if (this.#view.buffer !== this.#exports.memory.buffer) this.#view = new Uint8Array(this.#exports.memory.buffer);
    return this.#view;
  }

  #readAt(pointer, length, offset) {
    try {
      return this.#source.readInto(this.#memory(), pointer >>> 0, length >>> 0, Number(BigInt.asUintN(64, offset)));
    } catch (error) {
      this.#hostError = { error };
      return -1;
    }
  }
}
