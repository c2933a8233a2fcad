// The command, which the package is compared with, and the binaries of the repository.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../../../", import.meta.url);
const command = process.env.SECTILE ?? fileURLToPath(new URL("target/debug/sectile", root));

/** The answer of the command to a file: its last line, which is JSON. */
export function native(...args) {
  try {
    return execFileSync(command, args, { stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 28 }).toString().trimEnd();
  } catch (error) {
    if (error.stdout === undefined) throw error;
    return error.stdout.toString().trimEnd(); // refused, or not read to its end
  }
}

/** Paths of the binaries in the repository. */
export const files = readdirSync(new URL("tests/files/", root))
  .filter((name) => /\.(wasm|o)$/.test(name))
  .map((name) => fileURLToPath(new URL(`tests/files/${name}`, root)));

/** A file of the repository. */
export const repositoryFile = (path) => readFileSync(new URL(path, root));

/** A binary with most kinds of metadata. */
export const component = files.find((path) => path.endsWith("rust-auditable.component.wasm"));

/** A small generator of numbers, the same in every run. */
export function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
