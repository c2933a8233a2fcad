// ---- The page of a blob

function blob(place) {
  const row = rowAt(place), at = found.indexOf(place), main = byId("blob");
  const link = (to, label, title) => to === undefined ? undefined : make("a", { href: `#blob/${rowAt(to)[NTH]}`, title, rel: title }, label);
  const position = at < 0 ? "" : `${grouped(at + 1)} of ${grouped(found.length)}`;
  const state = columns.state[place], size = row[SIZE];
  const end = row[FILE].lastIndexOf("/") + 1;
  main.replaceChildren(
    make("nav", { class: "crumbs", "aria-label": "Rows" }, make("a", { href: addressOf(chips) }, "← All rows"),
      at > 0 ? link(found[at - 1], "‹ Before", "prev") : undefined, at >= 0 ? link(found[at + 1], "Next ›", "next") : undefined,
      make("span", { class: "of" }, position)),
    make("div", { class: "title" },
      make("h2", {}, shown("span", { class: "soft" }, row[FILE].slice(0, end)), shown("span", {}, row[FILE].slice(end))),
      make("p", {}, make("span", { class: `pill s-${STATES.get(state)}` }, state),
        kindOf(row) === "" ? "" : make("span", {}, kindOf(row)), size === null ? "" : make("span", {}, `${bytes(size)} (${grouped(size)} bytes)`))));
  if (row[REASON]) {
    const [message, offset] = row[REASON];
    main.append(show(make("p", { class: "stopped" }, make("strong", {}, `${ENDED[row[OUTCOME]]}: `)), message + (offset === null ? "" : ` (at ${hex(offset)})`)));
  }
  if (row[DRAWN].length > 0) main.append(sectionMap(spansOf(row), Number(row[SIZE] ?? 0), tables.families));
  main.append(make("div", { class: "split" }, make("div", {}, findings(row), made(row)), make("div", {}, facts(row), shares(row))));
  return visible(row[FILE]);
}

/** The spans of the section map, as `sectionMap` takes them. */
function spansOf(row) {
  return row[DRAWN].map(([family, kind, name, depth, start, length, number]) => ({ family, kind, name, depth, start, length, number }));
}

function findings(row) {
  const items = [...row[JUDGED]].sort((a, b) => b[2] - a[2] || b[1] - a[1]).map(([code, severity, refused, path, offset, section, message, number, rule, excepted]) => {
    const [name, help, why, fix] = tables.codes[code];
    const where = show(make("p", { class: "where" }), [`at ${hex(offset)}`, section === null ? "" : `section ${section}`,
      path === "" ? "" : `item ${path}`, Number(number) > 1 ? `${grouped(number)} times` : "", rule === null ? "" : `by ${rule}`].filter(Boolean).join(" · "));
    return make("li", {}, make("span", { class: `pill s-${SEVERITIES[severity]}` }, SEVERITIES[severity]), " ",
      make("b", {}, name), refused ? " · refused" : "", shown("p", {}, message), where,
      excepted === undefined ? undefined : shown("p", { class: "where" }, exceptionText(excepted)),
      make("details", { class: "remedy" }, make("summary", {}, "What to do"), make("p", {}, fix), make("p", {}, make("b", {}, "Meaning: "), help),
        make("p", {}, make("b", {}, "Why it matters: "), why)));
  });
  return panel("Findings", items.length > 0 ? make("ul", { class: "list" }, ...items) : make("p", { class: "empty" }, "No findings."));
}

/** An exception: its place in the policy, its last day and its reason. */
function exceptionText([reason, expires, rule]) {
  return `excepted${rule === null ? "" : ` by ${rule}`}${expires === null ? "" : ` until ${expires}`}: ${reason}`;
}

function facts(row) {
  const list = make("dl", { class: "facts" });
  const fact = (label, text, name) => {
    if (text !== null && text !== "") list.append(make("dt", {}, label), shown("dd", name ? { class: name } : {}, String(text)));
  };
  fact("name", row[NAME]);
  for (const [field, value] of row[ANNOTATIONS]) fact(tables.fields[field], value === "" ? "(empty)" : value);
  fact("digest", row[DIGEST], "mono");
  if (row[DIGEST] !== null) fact("", row[VERIFIED] ? "computed from all bytes" : "as its store states it; not computed");
  fact("row", row[ROW]);
  if (row[ROW] === "binary") {
    fact("items", grouped(row[ITEMS]));
    fact("packages", grouped(row[PACKAGES]));
  }
  fact("outcome", row[ROW] === "archive" && row[OUTCOME] === 0 ? "examined to the end" : ENDED[row[OUTCOME]]);
  const read = row[SIZE] === null ? bytes(row[BYTES_READ]) : `${bytes(row[BYTES_READ])}, ${share(row[BYTES_READ], row[SIZE])}`;
  fact("read", row[READ_FROM] === "" ? read : row[READ_FROM]);
  if (row[LARGEST]) fact("largest section", `${row[LARGEST][1] ?? row[LARGEST][0]}, ${bytes(row[LARGEST][2])}`);
  row[OTHERS].forEach((name, nth) => fact(nth === 0 ? "also known as" : "", name, "mono"));
  if (row[OTHERS_NUMBER] > row[OTHERS].length) fact("", `and ${grouped(row[OTHERS_NUMBER] - row[OTHERS].length)} more`);
  return panel("Facts", list);
}

function made(row) {
  if (row[PRODUCERS].length === 0) return "";
  const list = make("dl", { class: "facts" });
  let before;
  for (const [field, name, version] of row[PRODUCERS]) {
    list.append(shown("dt", {}, field === before ? "" : field), shown("dd", {}, `${name} ${version}`.trim()));
    before = field;
  }
  return panel("Made with", list);
}

function shares(row) {
  if (row[SHARES].length === 0) return "";
  const sorted = [...row[SHARES]].sort((a, b) => Number(b[3]) - Number(a[3])), most = Number(sorted[0][3]);
  const bars = sorted.map(([family, kind, sections, number]) => {
    const bar = svg("svg", { class: "bar", width: "100%", height: "8", "aria-hidden": "true" });
    bar.append(svg("rect", { class: tables.families[family][0], width: `${Number(number) / Math.max(most, 1) * 100}%`, height: "8" }));
    return make("li", {}, make("a", { title: `${grouped(sections)} sections, ${grouped(number)} bytes` }, shown("span", { class: "label" }, kind),
      make("span", { class: "value" }, `${bytes(number)} · ${share(number, row[SIZE])}`), bar));
  });
  return panel("Bytes by kind of section", make("ol", { class: "bars" }, ...bars));
}
