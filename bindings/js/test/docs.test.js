// The example of the README, the types, and the program run.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { main } from "../bin/sectile.js";
import { component, native } from "./native.js";

const root = fileURLToPath(new URL("..", import.meta.url));

test("the example of the README prints what it says", () => {
  const [, example] = /```js\n(import[^`]*(?:`[^`]+`[^`]*)*?)```/.exec(readFileSync(join(root, "README.md"), "utf8"));
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", example], { cwd: root, encoding: "utf8" });
  assert.match(output, /^MIT \{ sdk: \[ \[ 'Kit', '1\.0' \] \] \}\n/);
  assert.match(output, /^error .*`?source`?/m);
});

test("the generated types are those of the schemas", () => {
  execFileSync(process.execPath, [join(root, "generate.js"), "--check"]);
});

test("the program prints the documents of the command", async () => {
  const directory = mkdtempSync(join(tmpdir(), "sectile-"));
  const [copy, policy] = [join(directory, "a.wasm"), join(directory, "policy.toml")];
  copyFileSync(component, copy);
  writeFileSync(policy, '[[licenses]]\nallow = "0BSD"\n');
  const run = async (...args) => {
    const printed = [];
    const status = await main(args, (line) => printed.push(line), (line) => printed.push(line));
    return [status, printed.join("\n")];
  };
  assert.deepEqual(await run("show", copy), [0, native("show", "--json", copy)]);
  assert.deepEqual(await run("sections", copy), [0, native("sections", "--json", copy)]);
  assert.deepEqual(await run("check", copy, "--policy", policy), [1, native("check", "--json", "--policy", policy, copy)]);
  assert.equal((await run("set", copy, "licenses=0BSD"))[0], 0);
  assert.deepEqual(await run("check", copy, "--policy", policy), [0, native("check", "--json", "--policy", policy, copy)]);
  assert.equal((await run("strip", copy, "--names"))[0], 0);
  assert.equal((await run("show", join(directory, "absent.wasm")))[0], 2);
  assert.equal((await run("show"))[0], 2);
  const [status, complaint] = await run("check", copy, "--policy", join(directory, "absent.toml"));
  assert.ok(status === 2 && complaint.includes("absent.toml") && !complaint.includes("a.wasm"), complaint);
  rmSync(directory, { recursive: true });
});
