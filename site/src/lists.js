// Lists that one filter searches.
import { byId, bytes, grouped, hex, make, panel, shown, visible } from "report";

/** Rows that are drawn of one list. */
const MAX_ROWS = 300;

/** A filter, and the lists that it searches. A list has a title, columns, and rows of texts. */
export function lists(all) {
  const input = make("input", { id: "filter", type: "search", placeholder: "Filter sections, packages, imports and exports", "aria-label": "Filter", autocomplete: "off", spellcheck: "false" });
  const parts = all.filter((list) => list.rows.length > 0 || list.always).map(part);
  const update = () => parts.forEach((one) => one.update(input.value.trim().toLowerCase()));
  input.addEventListener("input", update);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && input.value !== "") {
      input.value = "";
      update();
    }
  });
  update();
  return make("section", { class: "lists", "aria-label": "Lists" }, make("div", { class: "tools" }, input), ...parts.map((one) => one.element));
}

function part({ title, columns, rows, note, action }) {
  const head = make("tr", {}, ...columns.map((column) => make("th", { scope: "col" }, column)));
  const body = make("tbody"), count = make("p", { class: "note" });
  const table = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, make("table", {}, make("thead", {}, head), body));
  const element = panel(title, count, table, action ?? "");
  element.classList.add("list-panel");
  const texts = rows.map((row) => row.map(visible).join("\n").toLowerCase());
  const update = (wanted) => {
    const found = rows.filter((_, nth) => texts[nth].includes(wanted));
    body.replaceChildren(...found.slice(0, MAX_ROWS).map((row) => make("tr", {}, ...row.map((text) => shown("td", {}, text)))));
    const drawn = found.length > MAX_ROWS ? `, the first ${grouped(MAX_ROWS)} are drawn` : "";
    count.textContent = `${wanted === "" ? grouped(rows.length) : `${grouped(found.length)} of ${grouped(rows.length)}`}${drawn}${note ? ` · ${note}` : ""}`;
    table.hidden = found.length === 0;
  };
  return { element, update };
}

export const sectionList = (sections) => ({
  title: "Sections",
  columns: ["Section", "Item", "Offset", "Size"],
  rows: sections.map(({ kind, name, path, range: [start, end] }) => [name ?? kind, path === "" ? "root" : path, hex(start), bytes(end - start)]),
});

export const externList = (title, items) => ({
  title,
  columns: ["Name", "Kind", "Offset"],
  rows: items.map(({ module, name, kind, offset }) => [module === undefined ? name : `${module} ${name}`, kind, hex(offset)]),
});

export const packageList = (packages, note, action) => ({
  title: "Packages",
  columns: ["Name", "Version", "From", "Found in"],
  rows: packages.map(({ name, version, ecosystem, source, list, evidence }) => [name, version, `${ecosystem} ${source ?? ""}`.trim(), `${list}, ${evidence}`]),
  note,
  action,
  always: true,
});

addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select");
  if (event.key !== "/" || typing || !byId("filter")) return;
  byId("filter").focus();
  event.preventDefault();
});
