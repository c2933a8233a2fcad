// The comparison of two files, by the values that the page shows.
import { grouped, make, panel, shown } from "report";

import { itemsOf, valueText } from "./items.js";

/** Draws the values that differ. */
export function comparison(file, other) {
  const [before, after] = [factsOf(file), factsOf(other)];
  const labels = [...new Set([...before.keys(), ...after.keys()])];
  const rows = labels.filter((label) => before.get(label) !== after.get(label)).map((label) => {
    const cell = (text) => text === undefined ? make("td", { class: "empty" }, "missing") : shown("td", {}, text);
    return make("tr", {}, shown("th", { scope: "row" }, label), cell(before.get(label)), cell(after.get(label)));
  });
  const head = make("tr", {}, make("th", { scope: "col" }, "Value"), shown("th", { scope: "col" }, file.file.name), shown("th", { scope: "col" }, other.file.name));
  const table = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Differences" },
    make("table", { class: "differences" }, make("thead", {}, head), make("tbody", {}, ...rows)));
  const element = panel("Differences", rows.length > 0 ? table : make("p", { class: "empty" }, "The values of both files are the same."));
  element.id = "differences";
  return element;
}

/** The values of a file by label. Sections are added up by item and name, so that their order does not matter. */
function factsOf({ file, document, sections }) {
  const facts = new Map([["size", exact(file.size)]]);
  for (const item of itemsOf(document)) {
    const at = item.path === "" ? "" : `${item.path} · `;
    facts.set(`${at}kind`, item.kind);
    if (item.name !== null) facts.set(`${at}name`, valueText(item.name));
    for (const [field, value] of Object.entries(item.annotations)) facts.set(`${at}${field}`, valueText(value));
    for (const [field, values] of Object.entries(item.producers)) {
      for (const [name, version] of values) facts.set(`${at}${field} ${name}`, version === "" ? "without a version" : version);
    }
    for (const { module, name, kind } of item.imports ?? []) facts.set(`${at}import ${module === undefined ? "" : `${module} `}${name}`, kind);
    for (const { name, kind } of item.exports ?? []) facts.set(`${at}export ${name}`, kind);
  }
  for (const { name, version, ecosystem } of document.packages) facts.set(`package ${ecosystem} ${name} ${version}`, "present");
  const totals = new Map();
  for (const { path, kind, name, range: [start, end] } of sections) {
    const label = `${path === "" ? "" : `${path} · `}section ${name ?? kind}`;
    totals.set(label, (totals.get(label) ?? 0) + end - start);
  }
  for (const [label, total] of totals) facts.set(label, exact(total));
  return facts;
}

const exact = (number) => `${grouped(number)} bytes`;
