// The tree of items, with the details of the selected one.
import { bytes, grouped, make, panel, share, shown } from "report";

import { itemLabel, valueText } from "./items.js";

/** Items that are drawn. */
const MAX_ITEMS = 1000;

/** Draws the items of a file of `size` bytes. Calls `select` with each item that is selected. */
export function itemTree(items, size, selected, select) {
  const tree = make("ul", { class: "tree", role: "tree", "aria-label": "Items" });
  const details = make("dl", { class: "facts" });
  const nodes = items.slice(0, MAX_ITEMS).map((item, nth) => {
    const depth = item.path === "" ? 0 : item.path.split("/").length;
    const [start, end] = item.range;
    const node = make("li", { role: "treeitem", "aria-level": String(depth + 1), "aria-selected": "false", tabindex: "-1", class: `depth-${Math.min(depth, 8)}` },
      shown("span", { class: "label" }, itemLabel(item)), make("span", { class: "value" }, `${bytes(end - start)} · ${share(end - start, size)}`));
    node.addEventListener("click", () => choose(nth, true));
    return node;
  });
  tree.append(...nodes);
  let chosen = Math.max(items.findIndex((item) => item.path === selected), 0);

  function choose(nth, focus) {
    for (const [other, node] of nodes.entries()) {
      node.setAttribute("aria-selected", String(other === nth));
      node.tabIndex = other === nth ? 0 : -1;
    }
    chosen = nth;
    if (focus) nodes[nth].focus();
    details.replaceChildren(...factsOf(items[nth]));
    select(items[nth]);
  }

  tree.addEventListener("keydown", (event) => {
    const depth = (nth) => Number(nodes[nth].getAttribute("aria-level"));
    const parent = nodes.findLastIndex((_, nth) => nth < chosen && depth(nth) === depth(chosen) - 1);
    const to = { ArrowDown: chosen + 1, ArrowUp: chosen - 1, Home: 0, End: nodes.length - 1, ArrowLeft: parent,
      ArrowRight: nodes[chosen + 1] && depth(chosen + 1) > depth(chosen) ? chosen + 1 : -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (nodes[to]) choose(to, true);
  });
  choose(chosen, false);
  const more = items.length > MAX_ITEMS ? make("p", { class: "note" }, `The first ${grouped(MAX_ITEMS)} of ${grouped(items.length)} items.`) : "";
  return panel("Items", tree, more, details);
}

function factsOf(item) {
  const facts = [];
  const fact = (label, text) => facts.push(make("dt", {}, label), shown("dd", {}, text));
  if (item.name !== null) fact("name", valueText(item.name));
  for (const [field, value] of Object.entries(item.annotations)) fact(field, valueText(value) || "(empty)");
  for (const [field, values] of Object.entries(item.producers)) {
    fact(field, values.map(([name, version]) => `${name} ${version}`.trim()).join(", "));
  }
  if (item.dependencies) fact("dependencies", `${grouped(item.dependencies.length)} packages`);
  fact("bytes", `${grouped(item.range[0])} to ${grouped(item.range[1])}`);
  return facts;
}
