// Records the SHA-256 of every binary that a program compiles, a line of JSON each. Loaded with `node --import`.
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';

const record = process.env.RECORD;

// Node compiles binaries of its own, such as that of its HTTP client.
const isOfNode = () => {
  const frames = new Error().stack.split('\n').slice(3).filter((frame) => !frame.includes('record.mjs'));
  const caller = frames.find((frame) => frame.includes('(') || frame.includes('at '));
  return caller !== undefined && /node:internal\/deps|lib\/internal\/deps/.test(caller);
};

const note = (source) => {
  if (isOfNode() || source instanceof WebAssembly.Module || !record) return;
  const bytes = ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : source instanceof ArrayBuffer || source instanceof SharedArrayBuffer
      ? new Uint8Array(source)
      : undefined;
  if (bytes === undefined || bytes[0] !== 0 || String.fromCharCode(...bytes.subarray(1, 4)) !== 'asm') return;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  appendFileSync(record, `${JSON.stringify({ sha256, length: bytes.length })}\n`);
};

const { Module, compile, instantiate } = WebAssembly;
WebAssembly.Module = new Proxy(Module, {
  construct(target, parameters, newTarget) {
    note(parameters[0]);
    return Reflect.construct(target, parameters, newTarget === WebAssembly.Module ? target : newTarget);
  },
});
WebAssembly.compile = (source, ...rest) => (note(source), compile(source, ...rest));
WebAssembly.instantiate = (source, ...rest) => (note(source), instantiate(source, ...rest));
const whole = async (response) => (await response).arrayBuffer();
WebAssembly.compileStreaming = async (response) => WebAssembly.compile(await whole(response));
WebAssembly.instantiateStreaming = async (response, ...rest) => WebAssembly.instantiate(await whole(response), ...rest);
