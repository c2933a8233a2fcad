// Every document and every edit is that of the command, byte for byte.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { check, edit, inventory, read, scanStream, sections, SectileError, strip } from "sectile";
import { component, files, native, random } from "./native.js";

const directory = mkdtempSync(join(tmpdir(), "sectile-"));
after(() => rmSync(directory, { recursive: true }));

const POLICY = `
refuse = "warning"
[[licenses]]
allow = ["MIT", "Apache-2.0"]
[[required]]
fields = ["licenses", "source"]
[[imports]]
names = ["env", "wasi_snapshot_preview1.fd_*"]
[[sections]]
names = ".debug_*"
[[producers]]
fields = "processed-by"
names = "clang"
severity = "warning"
`;

/** The document of an answer, or of the part before a fault. */
const json = (promise) =>
  promise.then(
    (document) => document.json,
    (error) => {
      assert.ok(error instanceof SectileError && error.kind !== "trap", error);
      return error.partial.json;
    },
  );

test("read is show of every file, from a path, bytes and a blob", async () => {
  for (const path of files) {
    const expected = native("show", "--json", path);
    const bytes = readFileSync(path);
    assert.equal(await json(read(path)), expected);
    assert.equal(await json(read(bytes, { name: path })), expected);
    assert.equal(await json(read(new Blob([bytes]), { name: path })), expected);
    assert.equal(await json(read(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), { name: path })), expected);
  }
});

test("packages and interfaces are those of show", async () => {
  for (const path of files) {
    const expected = native("show", "--json", "--packages", "all", "--interface", path);
    assert.equal(await json(read(path, { packages: "all", interface: true })), expected);
    assert.equal(await json(read(new Blob([readFileSync(path)]), { packages: "all", interface: true, name: path })), expected);
    assert.deepEqual(await inventory(path), JSON.parse(expected).packages);
  }
});

test("sections are those of the command", async () => {
  for (const path of files) assert.equal(await json(sections(path)), native("sections", "--json", path));
});

test("check is check with and without a policy", async () => {
  const policyName = join(directory, "policy.toml");
  writeFileSync(policyName, POLICY);
  for (const path of files) {
    assert.equal(await json(check(path)), native("check", "--json", path));
    const expected = native("check", "--json", "--policy", policyName, path);
    assert.equal(await json(check(path, { policy: POLICY, policyName })), expected);
  }
});

test("edits are those of the command, and are idempotent", async () => {
  for (const path of files) {
    const copy = join(directory, "edited.wasm");
    writeFileSync(copy, readFileSync(path));
    const expected = native("set", "--json", "--force", copy, "--licenses", "MIT", "--version", "1.2", "--name", "renamed", "--language", "Rust=1.95");
    if (expected === "") continue; // refused
    const changes = { set: { licenses: "MIT", version: "1.2" }, name: "renamed", producers: [["language", "Rust", "1.95"]], force: true };
    const edited = await edit(readFileSync(path), changes, { name: copy });
    assert.equal(edited.document.json, expected);
    const bytes = await edited.bytes();
    assert.deepEqual(Buffer.from(bytes), readFileSync(copy));
    const again = await edit(bytes, changes);
    assert.ok(!again.isChanged && again.size === bytes.length);
    again.close();

    const whole = await new Response((await edit(new Blob([readFileSync(path)]), changes)).stream()).bytes?.() ?? bytes;
    assert.deepEqual(Buffer.from(whole), Buffer.from(bytes));
  }
});

test("strip is that of the command, and write replaces the file", async () => {
  for (const path of files) {
    const [copy, other] = ["stripped.wasm", "other.wasm"].map((name) => join(directory, name));
    for (const one of [copy, other]) writeFileSync(one, readFileSync(path), { mode: 0o640 });
    if (native("strip", "--json", "--names", "--force", copy) === "") continue;
    await (await strip(other, { names: true, force: true })).write();
    assert.deepEqual(readFileSync(other), readFileSync(copy));
  }
});

test("scanStream passes bytes on, in any chunks, and reads what read does", async () => {
  const next = random(7);
  const withoutCost = (text) => text.replace(/"bytes_read":\d+/, "");
  for (const path of files) {
    const bytes = readFileSync(path);
    const scan = scanStream({ name: path });
    let at = 0;
    const source = new ReadableStream({
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        const length = 1 + next(next(2) ? 20 : 40_000);
        controller.enqueue(bytes.subarray(at, at + length));
        at += length;
      },
    });
    const passed = [];
    for await (const chunk of source.pipeThrough(scan)) passed.push(chunk);
    assert.ok(Buffer.concat(passed).equals(bytes));
    assert.equal(withoutCost(await json(scan.result)), withoutCost(native("show", "--json", path)));
  }
});

test("damaged inputs have the document of the command, or its error", async () => {
  const next = random(1);
  const bytes = readFileSync(component);
  for (let nth = 0; nth < 60; nth += 1) {
    const damaged = Buffer.from(bytes.subarray(0, next(3) ? bytes.length : next(bytes.length)));
    for (let count = next(4); count > 0 && damaged.length > 0; count -= 1) damaged[next(Math.min(damaged.length, 400))] = next(256);
    const path = join(directory, "damaged.wasm");
    writeFileSync(path, damaged);
    const expected = native("show", "--json", "--packages", "all", path);
    assert.equal(await json(read(path, { packages: "all" })), expected);
    assert.equal(await json(read(new Blob([damaged]), { packages: "all", name: path })), expected);
    assert.equal(await json(check(path)), native("check", "--json", path));
    assert.equal(await json(sections(path)), native("sections", "--json", path));
  }
});
