// Compares `read` with other parsers of WebAssembly in Node, per file, by processor time.
// Usage: node parsers.js DIRECTORY FILE…  (`npm install --prefix DIRECTORY @webassemblyjs/wasm-parser`)
//
// Each parser gets the path of the file, and does the least that it can. docs/comparison.md has the results.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { read } from "./src/index.js";

const ENOUGH = 50_000; // microseconds of a measurement: a fast parser reads the file several times
const ROUNDS = 3;

const [, , directory, ...files] = process.argv;
const { decode } = createRequire(join(resolve(directory), "index.js"))("@webassemblyjs/wasm-parser");

const parsers = {
  "sectile": read,
  "@webassemblyjs/wasm-parser": (file) =>
    decode(readFileSync(file), { ignoreCodeSection: true, ignoreDataSection: true, ignoreCustomNameSection: true }),
  "WebAssembly.Module.customSections": (file) =>
    WebAssembly.Module.customSections(new WebAssembly.Module(readFileSync(file)), "producers"),
};

/** Microseconds of processor time for a file, the best of some rounds; `undefined` if the parser fails. */
async function duration(parse, file) {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    let [reads, spent] = [0, 0];
    while (spent < ENOUGH) {
      try {
        await parse(file);
      } catch {
        return undefined;
      }
      reads += 1;
      const { user, system } = process.cpuUsage(before);
      spent = user + system;
    }
    best = Math.min(best, spent / reads);
  }
  return best;
}

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const format = (number) => number.toLocaleString("en-US", { maximumFractionDigits: number < 10 ? 2 : number < 100 ? 1 : 0 });

const times = {};
for (const [name, parse] of Object.entries(parsers)) {
  times[name] = [];
  for (const file of files) times[name].push(await duration(parse, file));
}
console.log("| parser | files read | median per file | ratio of the totals | median ratio | lowest ratio |");
console.log("| --- | --- | --- | --- | --- | --- |");
for (const [name, taken] of Object.entries(times)) {
  const both = taken.flatMap((time, nth) => (time && times.sectile[nth] ? [[time, times.sectile[nth]]] : []));
  const ratios = both.map(([time, own]) => time / own);
  const total = sum(both.map(([time]) => time)) / sum(both.map(([, own]) => own));
  const cells = [total, median([...ratios]), Math.min(...ratios)].map((ratio) => `${format(ratio)} ×`);
  const perFile = `${format(median(both.map(([time]) => time)))} µs`;
  console.log(`| \`${name}\` | ${both.length} of ${files.length} | ${both.length ? [perFile, ...cells].join(" | ") : "| | |"} |`);
}
