// A short run of the package for platforms without the test runner of Node: Deno and Bun. Prints the name of the platform.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { check, edit, read, scanStream, SectileError } from "sectile";
import { component, native } from "./native.js";

const expected = native("show", "--json", component);
const blob = new Blob([readFileSync(component)]);
assert.equal((await read(component)).json, expected);
assert.equal((await read(blob, { name: component })).json, expected);

const scan = scanStream({ name: component });
await blob.stream().pipeThrough(scan).pipeTo(new WritableStream());
assert.equal((await scan.result).item.kind, "component");

const edited = await edit(component, { set: { licenses: "0BSD" } });
assert.equal((await check(await edited.bytes(), { policy: '[[licenses]]\nallow = "0BSD"\nitems = "root"\n' })).accepted, true);
await assert.rejects(read(new Uint8Array(3)), (error) => error instanceof SectileError && error.kind === "not-wasm");
console.log(globalThis.Deno ? "Deno" : globalThis.Bun ? "Bun" : "Node");
