// Arguments that are not valid, hostile inputs, memory.
import assert from "node:assert/strict";
import { readFileSync, mkdtempSync, rmSync, appendFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { check, edit, gateStream, read, scanStream, sections, SectileError, FIELDS, FINDING_CODES } from "sectile";
import { acquire } from "../src/core.js";
import { component, random } from "./native.js";

const MODULE = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0]);
const fails = (promise, kind, more = {}) => assert.rejects(promise, { name: "SectileError", kind, ...more });

test("errors have a kind and a place", async () => {
  await fails(read(new Uint8Array(0)), "not-wasm");
  await fails(read(Buffer.from("\x7fELF\x02\x01\x01\0", "latin1")), "not-wasm", { offset: 0 });
  await fails(read(Buffer.concat([MODULE, Uint8Array.of(10, 100, 0)])), "truncated");
  await fails(check(MODULE, { policy: "refuse = 3\n" }), "policy", { line: 1 });
  await fails(edit(MODULE, { set: { licenses: "Apache2" } }), "edit");
  await fails(edit(MODULE, { set: { licences: "MIT" } }), "argument");
  await fails(edit(MODULE, { item: "3/0", set: { licenses: "MIT" } }), "edit");
  await fails(edit(MODULE, { unknown: 1 }), "argument");
  await fails(read(MODULE, { packages: "some" }), "argument");
  await fails(check(MODULE, { day: "today" }), "argument");
  await assert.rejects(read(3), TypeError);
  await assert.rejects(read("no-such-file.wasm"), { code: "ENOENT" });
});

test("an error has the document of everything before the fault", async () => {
  const licenses = Uint8Array.of(0, 12, 8, ...Buffer.from("licensesMIT"));
  const error = await read(Buffer.concat([MODULE, licenses, Uint8Array.of(10, 100)])).catch((error) => error);
  assert.equal(error.partial.item.annotations.licenses, "MIT");
  assert.equal(error.partial.outcome, "partial");
});

test("the tables list fields and findings", () => {
  assert.ok(FIELDS.includes("licenses") && FINDING_CODES.includes("not-spdx"));
});

test("no input causes a trap or a hang", async () => {
  const next = random(3);
  const bytes = readFileSync(component);
  for (let nth = 0; nth < 400; nth += 1) {
    const start = next(2) ? 0 : next(bytes.length);
    const damaged = Buffer.concat([MODULE.subarray(0, next(2) * 8), bytes.subarray(start, start + next(3_000))]);
    for (let count = next(6); count > 0 && damaged.length > 0; count -= 1) damaged[next(damaged.length)] = next(256);
    const calls = [
      read(damaged, { packages: "all", interface: true }),
      read(new Blob([damaged])),
      sections(damaged),
      check(damaged, { policy: '[[licenses]]\nallow = ["MIT"]\n' }),
      edit(damaged, { set: { licenses: "MIT" } }).then((edited) => edited.bytes()),
    ];
    for (const result of await Promise.allSettled(calls)) {
      if (result.status === "rejected") {
        assert.ok(result.reason instanceof SectileError, result.reason);
        assert.notEqual(result.reason.kind, "trap");
      }
    }
  }
});

test("memory is freed after each operation", async () => {
  const core = await acquire();
  const source = (bytes) => ({ size: bytes.length, readInto: (memory, at, length, offset) => {
    const part = bytes.subarray(offset, offset + length);
    memory.set(part, at);
    return part.length;
  } });
  const large = new Uint8Array(200_000).fill(97);
  const request = { op: "edit", edit: { put: [["note", Buffer.from(large).toString("base64")]] } };
  for (let nth = 0; nth < 20; nth += 1) core.run(request, source(MODULE));
  const before = core.memoryBytes;
  for (let nth = 0; nth < 300; nth += 1) core.run(request, source(MODULE));
  assert.equal(core.memoryBytes, before);
  core.release();
});

test("an instance that trapped is discarded", async () => {
  const core = await acquire();
  const source = { size: 8, readInto: () => core.end() }; // a call inside a call
  assert.throws(() => core.run({ op: "read" }, source), { name: "SectileError", kind: "trap" });
  assert.throws(() => core.run({ op: "read" }, source), { kind: "trap" });
  core.release();
  const others = await Promise.all(Array.from({ length: 8 }, acquire));
  assert.ok(!others.includes(core));
  for (const other of others) other.release();
});

test("a source that returns more than requested is an error", async () => {
  const core = await acquire();
  assert.equal(core.run({ op: "read" }, { size: 100, readInto: () => 1 << 30 }).error.kind, "read");
  core.release();
});

test("a source that does not fit into memory is read in order", async () => {
  const leb128 = (number) => [...[0, 7, 14].map((shift) => ((number >> shift) & 0x7f) | 0x80), number >> 21];
  const contents = Buffer.alloc(70 << 20);
  contents.write("/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/memchr-2.7.4/src/lib.rs", 69 << 20);
  const segment = Buffer.concat([Buffer.from([1, 1, ...leb128(contents.length)]), contents]); // one passive segment
  const licenses = Buffer.from([0, 12, 8, ...Buffer.from("licensesMIT")]);
  const bytes = Buffer.concat([MODULE, Buffer.from([11, ...leb128(segment.length)]), segment, licenses]);
  const expected = await read(bytes, { packages: "all" });
  const document = await read(new Blob([bytes]), { packages: "all" });
  assert.deepEqual(document.packages.map(({ name, version }) => [name, version]), [["memchr", "2.7.4"]]);
  assert.deepEqual({ ...document, bytes_read: 0 }, { ...expected, bytes_read: 0 });
});

test("errors of a source are those of the caller", async () => {
  const broken = Object.assign(new Blob([MODULE]), {});
  broken.slice = () => ({ arrayBuffer: () => Promise.reject(new Error("disk on fire")) });
  await assert.rejects(read(broken), /disk on fire/);
});

test("many operations run at once", async () => {
  const expected = (await read(component)).json;
  const documents = await Promise.all(Array.from({ length: 40 }, (_, nth) =>
    read(nth % 2 ? component : new Blob([readFileSync(component)]), { name: component })));
  for (const document of documents) assert.equal(document.json, expected);
});

test("a file that changes while it is edited is an error", async () => {
  const directory = mkdtempSync(join(tmpdir(), "sectile-"));
  const path = join(directory, "a.wasm");
  writeFileSync(path, MODULE);
  const edited = await edit(path, { set: { licenses: "MIT" } });
  appendFileSync(path, "x");
  await fails(edited.bytes(), "read");
  rmSync(directory, { recursive: true });
});

/** Sends chunks through a gate; returns the number that passed, and the error. */
async function upload(chunks, options) {
  const gate = gateStream(options);
  let passed = 0;
  try {
    for await (const _ of new Blob([]).stream().constructor.from(chunks).pipeThrough(gate)) passed += 1;
  } catch (error) {
    assert.equal(error, await gate.result.catch((error) => error));
    return { passed, error };
  }
  return { passed, verdict: await gate.result };
}

const BAD = Uint8Array.of(0, 13, 8, ...Buffer.from("licensesMIT!"));
const rest = () => Array.from({ length: 100 }, () => new Uint8Array(1_000));

test("a gate refuses while the body arrives", async () => {
  const section = Uint8Array.of(11, 0xa0, 0x8d, 0x06); // 100,000 bytes
  const policy = '[severity]\nnot-spdx = "error"\n';
  const { passed, error } = await upload([MODULE, BAD, section, ...rest()], { policy });
  assert.equal(error.kind, "refused");
  assert.equal(error.code, "not-spdx");
  assert.equal(error.partial.accepted, false);
  assert.ok(passed <= 2, `${passed} chunks passed`);
});

test("a gate accepts, and passes every byte", async () => {
  const section = Uint8Array.of(11, 0xa0, 0x8d, 0x06);
  const { passed, verdict } = await upload([MODULE, section, ...rest()], { declaredLength: 100_012 });
  assert.ok(verdict.accepted);
  assert.equal(passed, 102);
});

test("a gate refuses lengths that are not declared or permitted", async () => {
  assert.equal((await upload([MODULE], { declaredLength: 9 })).error.kind, "length");
  assert.equal((await upload([MODULE, MODULE], { maxBytes: 10 })).error.kind, "too-large");
  assert.equal((await upload([MODULE, Uint8Array.of(0)], {})).error.kind, "malformed");
});

test("exceptions by digest hold for a gate with the correct claim", async () => {
  const bytes = Buffer.concat([MODULE, BAD]);
  const digest = `sha256:${Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex")}`;
  const policy = `[severity]\nnot-spdx = "error"\n[[exceptions]]\ndigests = "${digest}"\ncodes = ["not-spdx"]\nreason = "known"\n`;
  assert.ok((await upload([bytes], { policy, digest })).verdict.accepted);
  assert.equal((await upload([bytes], { policy })).error.code, "not-spdx");
  assert.equal((await upload([MODULE, BAD, Uint8Array.of(0, 2, 1, 97)], { policy, digest })).error.kind, "refused");
});

test("an aborted stream releases its instance", async () => {
  for (let nth = 0; nth < 20; nth += 1) {
    const scan = scanStream();
    const writer = scan.writable.getWriter();
    writer.write(MODULE).catch(() => {});
    await scan.readable.cancel("enough");
    await assert.rejects(scan.result.then(() => { throw new Error("no error"); }));
  }
});
