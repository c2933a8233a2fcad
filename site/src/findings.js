// The findings of a document.
import { grouped, hex, make, panel, shown } from "report";

export function findings(list) {
  const items = list.map(({ code, severity, path, offset, section, message, count }) => {
    const where = [`at ${hex(offset)}`, section ? `section ${section}` : "", path === "" ? "" : `item ${path}`, count > 1 ? `${grouped(count)} times` : ""];
    return make("li", {}, make("span", { class: `pill s-${severity}` }, severity), " ", make("b", {}, code),
      shown("p", {}, message), shown("p", { class: "where" }, where.filter(Boolean).join(" · ")));
  });
  return panel("Findings", items.length > 0 ? make("ul", { class: "list" }, ...items) : make("p", { class: "empty" }, "No findings."));
}
