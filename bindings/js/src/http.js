// Objects on web servers, read by ranges.
import { BytesSource } from "./bytes.js";
import { SectileError } from "./error.js";

/** The first range, which also shows the size. */
const FIRST = 64 << 10;
/** Most bytes of an object whose server ignores ranges. */
const MAX_WHOLE = 512 << 20;

/** An object on a web server. Every answer must be of the same version. */
export class HttpSource {
  isSynchronous = false;
  #url;
  #options;
  #first;
  #validator;

  /** Opens an object. If the server ignores ranges, it is the bytes of the whole object. */
  static async open(url, name, options) {
    const source = new HttpSource(url, name, options);
    return (await source.#open()) ?? source;
  }

  constructor(url, name, { fetch = globalThis.fetch, headers, signal, maxWhole = MAX_WHOLE } = {}) {
    this.#url = url;
    this.name = name;
    this.#options = { fetch, headers, signal, maxWhole };
  }

  async #open() {
    const response = await this.#request({ range: `bytes=0-${FIRST - 1}` });
    this.#validator = validatorOf(response);
    if (response.status === 416 && /^bytes \*\/0$/.test(response.headers.get("content-range") ?? "")) {
      await response.body?.cancel();
      return this.#named(new Uint8Array(0));
    }
    if (response.status === 200) return this.#named(await readBody(response, this.#options.maxWhole, 0));
    const range = this.#checkRange(response, 0, FIRST);
    this.size = range.size ?? (await this.#headSize(response));
    this.#first = await readBody(response, range.end, 0);
    return undefined;
  }

  /** The size, if `Content-Range` does not have it. */
  async #headSize(response) {
    const head = await this.#request({}, "HEAD");
    const size = Number(head.headers.get("content-length") ?? NaN);
    if (!head.ok || !Number.isSafeInteger(size) || size < 0) {
      await response.body?.cancel();
      throw this.#fail("the server does not tell its size");
    }
    this.#checkVersion(head);
    return size;
  }

  #named(bytes) {
    return Object.assign(new BytesSource(bytes), { name: this.name });
  }

  async read(start, end) {
    if (this.#first && start < this.#first.length) return this.#first.subarray(start, end);
    const response = await this.#request({ range: `bytes=${start}-${end - 1}` });
    if (response.status === 200) {
      await response.body?.cancel();
      throw this.#fail("the server answered a range with the whole object", start);
    }
    const range = this.#checkRange(response, start, end);
    if (range.size !== undefined && range.size !== this.size) {
      await response.body?.cancel();
      throw this.#fail(`it changed while it was read: from ${this.size} to ${range.size} bytes`, start);
    }
    this.#checkVersion(response);
    return readBody(response, range.end - start, start);
  }

  async #request(headers, method = "GET") {
    const { fetch, headers: given, signal } = this.#options;
    const all = new Headers(given);
    for (const [name, value] of Object.entries({ "accept-encoding": "identity", ...headers })) all.set(name, value);
    return fetch(this.#url, { method, headers: all, signal, cache: "no-store" });
  }

  /** Checks that an answer is a part of a range that starts where it was requested. */
  #checkRange(response, start, end) {
    const found = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
    const encoding = response.headers.get("content-encoding") ?? "identity";
    const [from, to] = found ? [Number(found[1]), Number(found[2]) + 1] : [];
    const problem =
      response.status !== 206 ? `the server answered with status ${response.status}`
      : !found ? "the answer has no valid Content-Range, or the server does not expose it"
      : from !== start || to <= from || to > end ? "the server answered with another range"
      : encoding !== "identity" ? `the answer is encoded by ${encoding}`
      : undefined;
    if (problem) {
      response.body?.cancel().catch(() => {});
      throw this.#fail(problem, start);
    }
    return { end: to, size: found[3] === "*" ? undefined : Number(found[3]) };
  }

  #checkVersion(response) {
    const validator = validatorOf(response);
    if (validator !== this.#validator) {
      response.body?.cancel().catch(() => {});
      throw this.#fail("it changed while it was read: its ETag or date differ");
    }
  }

  #fail(reason, offset) {
    return new SectileError({ kind: "read", message: `cannot read ${this.name}: ${reason}`, offset });
  }

  hasChanged() {
    return false;
  }

  close() {}
}

function validatorOf(response) {
  return response.headers.get("etag") ?? response.headers.get("last-modified") ?? "";
}

/** Reads the body of an answer. More bytes than announced are an error. */
async function readBody(response, max, offset) {
  const chunks = [];
  let length = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > max) {
      await reader.cancel();
      throw new SectileError({ kind: "read", message: `the server sent more than ${max} bytes`, offset });
    }
    chunks.push(value);
  }
  if (chunks.length === 1) return chunks[0];
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
