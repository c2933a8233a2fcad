// Compares `read` of a module of 60 MB with reading the file into a buffer, and with the library, by processor time.
// Usage: node bench.js SHOW_RATE (the README tells how to build this program)
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { read } from "./src/index.js";

const ROUNDS = 7;
const READS = 5_000;
const SIZE = 60 << 20;

function leb128(number) {
  const bytes = [];
  for (; number > 0x7f; number >>>= 7) bytes.push((number & 0x7f) | 0x80);
  return [...bytes, number];
}

const section = (id, ...payload) => Buffer.from([id, ...leb128(payload.length), ...payload]);
const custom = (name, ...data) => section(0, name.length, ...Buffer.from(name), ...data);
const text = (text) => [text.length, ...Buffer.from(text)];

/** A module with the sections of a compiler, and metadata at its end. */
function largeModule() {
  const code = Buffer.concat([Buffer.from([10, ...leb128(SIZE)]), Buffer.alloc(SIZE, 1)]);
  return Buffer.concat([
    Buffer.from([0, 97, 115, 109, 1, 0, 0, 0]),
    ...[1, 2, 3, 4, 5, 6, 7, 9].map((id) => section(id, ...Buffer.alloc(2_000))),
    code,
    section(11, ...Buffer.alloc(100_000)),
    custom("producers", 2, ...text("language"), 1, ...text("Rust"), ...text(""), ...text("processed-by"), 1, ...text("rustc"), ...text("1.95.0")),
    custom("licenses", ...Buffer.from("MIT OR Apache-2.0")),
    custom("source", ...Buffer.from("https://example.org/large.git")),
  ]);
}

/** Nanoseconds of processor time of a call. */
async function processorTime(count, call) {
  const before = process.cpuUsage();
  for (let nth = 0; nth < count; nth += 1) await call();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / count;
}

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

const [, , program] = process.argv;
const directory = mkdtempSync(join(tmpdir(), "sectile-"));
const path = join(directory, "large.wasm");
try {
  writeFileSync(path, largeModule());
  const rounds = { read: [], buffer: [], native: [] };
  await processorTime(READS, () => read(path));
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.read.push(await processorTime(READS, () => read(path)));
    rounds.buffer.push(await processorTime(5, () => readFileSync(path)));
    if (program) rounds.native.push(Number(execFileSync(program, [String(READS), path])));
  }
  const ratio = (one, other) => median(rounds[one].map((time, nth) => time / rounds[other][nth]));
  const micros = (name) => `${(median([...rounds[name]]) / 1_000).toFixed(1)} µs`;
  console.log(`read ${micros("read")}; file into a buffer ${micros("buffer")}, ${Math.round(ratio("buffer", "read"))} × as long`);
  if (program) console.log(`library ${micros("native")}: read takes ${ratio("read", "native").toFixed(1)} × as long`);
} finally {
  rmSync(directory, { recursive: true });
}
