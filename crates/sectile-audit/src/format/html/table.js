// ---- The table

const HEADS = [["state", "Verdict"], ["file", "File"], ["kind", "Kind"], ["size", "Size"], ["license", "License"],
  ["tool", "Made with"], ["found", "Findings"]];
const QUICK = [["row:binary", "binaries"], ["row:archive", "archives"], ["row:file", "other files"], ["verdict:refused", "refused"], ["verdict:unjudged", "not read to the end"], ["severity:warning", "with warnings"],
  ["is:unlicensed", "without a license"], ["is:excepted", "excepted"]];
const STATES = new Map([["accepted", "ok"], ["refused", "error"], ["unread", "error"], ["partial", "warning"], ["skipped", "none"]]);
const TALLEST = 12_000_000; // pixels; browsers draw nothing far below

const narrow = matchMedia("(max-width: 760px)");
const orders = new Map();
const pool = [];
let found = [], sorted = { by: "file", down: false, touched: false }, chips = [], active = -1;
let scroller, spacer, input, count, chipList, none, notice, printed;

/** The rows in the order of a column, sorted once; rows that are equal there stay in the order of the audit. */
function orderBy(name) {
  if (!orders.has(name)) {
    const values = columns[name], order = Uint32Array.from(values, (_, place) => place);
    order.sort(typeof values[0] === "number" ? (a, b) => values[a] - values[b] || a - b
      : (a, b) => values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : a - b);
    orders.set(name, order);
  }
  return orders.get(name);
}

/** Finds the rows that match every term of the query and every chip. */
function find() {
  const { all: terms, notices } = answer(input.value);
  notice.replaceChildren();
  show(notice, notices.join("; "));
  notice.hidden = notices.length === 0;
  const asked = terms.concat(chips.map((chip) => rowsWithText(chip.toLowerCase())));
  const rows = asked.length > 0 ? asked[0].slice() : new Uint8Array(lines.length).fill(1);
  for (const others of asked.slice(1)) {
    for (let place = 0; place < rows.length; place++) rows[place] &= others[place];
  }
  found = [];
  if (!sorted.touched) {
    for (let place = 0; place < lines.length; place++) if (rows[place] === 1) found.push(place);
  } else {
    const order = orderBy(sorted.by), number = order.length;
    for (let nth = 0; nth < number; nth++) {
      const place = order[sorted.down ? number - 1 - nth : nth];
      if (rows[place] === 1) found.push(place);
    }
  }
  active = -1;
  scroller.scrollTop = 0;
  const all = grouped(lines.length);
  count.textContent = found.length === lines.length ? `${all} rows` : `${grouped(found.length)} of ${all} rows`;
  none.hidden = found.length > 0;
  layOut();
}

const rowHeight = () => narrow.matches ? 74 : 42;
const allHeight = () => Math.min(found.length * rowHeight(), TALLEST);

function layOut() {
  spacer.style.height = `${allHeight()}px`;
  scroller.style.height = `${Math.min(allHeight(), Math.max(innerHeight * 0.72, 300))}px`;
  scroller.setAttribute("aria-rowcount", found.length + 1);
  draw();
}

/** How far down the rows are that stand at the top: more than the scroller says, where the rows are higher than what a browser draws. */
function offset() {
  const real = found.length * rowHeight(), height = allHeight(), seen = scroller.clientHeight;
  return real === height ? scroller.scrollTop : scroller.scrollTop / (height - seen) * (real - seen);
}

function draw() {
  const height = rowHeight(), top = offset(), begin = Math.max(0, Math.floor(top / height) - 4);
  const end = Math.min(found.length, Math.ceil((top + scroller.clientHeight) / height) + 4);
  const shift = scroller.scrollTop - top;
  for (let nth = begin; nth < end; nth++) {
    const element = pool[nth - begin] ?? newRow();
    fill(element, nth);
    element.style.top = `${nth * height + shift}px`;
    element.hidden = false;
  }
  for (let nth = Math.max(end - begin, 0); nth < pool.length; nth++) pool[nth].hidden = true;
  const current = pool.find((element) => !element.hidden && element.nth === active);
  if (current) scroller.setAttribute("aria-activedescendant", current.id);
  else scroller.removeAttribute("aria-activedescendant");
}

function newRow() {
  const cell = (name, ...children) => make("span", { class: name, role: "gridcell" }, ...children);
  const element = make("div", { class: "grid-row", role: "row", id: `row-${pool.length}` });
  const folder = make("span", { class: "folder" }), file = make("b");
  const link = make("a", { tabindex: "-1" }, folder, file);
  const dot = make("i"), state = make("span"), pill = make("span", { class: "pill" });
  const cells = { state: cell("state", dot, state), path: cell("path", link), kind: cell("kind"), size: cell("size number"),
    license: cell("license"), tool: cell("tool"), found: cell("found number", pill) };
  element.append(...Object.values(cells));
  element.parts = { ...cells, folder, file, link, dot, word: state, pill };
  pool.push(element);
  spacer.append(element);
  return element;
}

function fill(element, nth) {
  const place = found[nth], parts = element.parts, file = columns.file[place], state = columns.state[place];
  element.nth = nth;
  element.setAttribute("aria-rowindex", nth + 2);
  element.classList.toggle("active", nth === active);
  if (element.place === place) return;
  element.place = place;
  const end = file.lastIndexOf("/") + 1;
  parts.folder.textContent = file.slice(0, end);
  parts.file.textContent = file.slice(end);
  parts.path.title = file;
  parts.link.href = `#blob/${JSON.parse(lines[place].slice(1, lines[place].indexOf(",")))}`;
  parts.dot.className = `dot s-${STATES.get(state)}`;
  parts.word.textContent = state;
  parts.kind.textContent = columns.kind[place];
  parts.size.textContent = columns.size[place] < 0 ? "" : bytes(columns.size[place]);
  parts.size.title = columns.size[place] < 0 ? "" : `${grouped(columns.size[place])} bytes`;
  parts.license.textContent = parts.license.title = columns.license[place];
  parts.tool.textContent = parts.tool.title = columns.tool[place];
  parts.pill.hidden = counts[place] === 0;
  parts.pill.textContent = grouped(counts[place]);
  parts.pill.className = `pill s-${SEVERITIES[worst[place]]}`;
  parts.pill.title = worst[place] < 0 ? "" : `the worst is: ${SEVERITIES[worst[place]]}`;
}

function activate(nth) {
  active = Math.min(Math.max(nth, 0), found.length - 1);
  const height = rowHeight(), top = offset(), seen = scroller.clientHeight;
  const real = found.length * height, scale = real === allHeight() ? 1 : (allHeight() - seen) / (real - seen);
  if (active * height < top) scroller.scrollTop = active * height * scale;
  if ((active + 1) * height > top + seen) scroller.scrollTop = ((active + 1) * height - seen) * scale + (scale < 1 ? 1 : 0);
  draw();
}

const open = (place) => { location.hash = `#blob/${rowAt(place)[NTH]}`; };

function onGridKey(event) {
  const page = Math.max(1, Math.floor(scroller.clientHeight / rowHeight()) - 1);
  const to = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: found.length - 1 };
  if (event.ctrlKey || event.metaKey || event.altKey || found.length === 0) return;
  if (Object.hasOwn(to, event.key)) activate(to[event.key]);
  else if (event.key === "Enter" && active >= 0) open(found[active]);
  else return;
  event.preventDefault();
}

function sortBy(name) {
  const numeric = name === "size" || name === "found";
  sorted = sorted.touched && sorted.by === name ? { by: name, down: !sorted.down, touched: true } : { by: name, down: numeric, touched: true };
  for (const head of document.querySelectorAll(".grid-head > *")) {
    const is = head.dataset.column === name;
    if (is) head.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
    head.querySelector("i").textContent = is ? sorted.down ? " ↓" : " ↑" : "";
  }
  find();
}

const addressOf = (list) => list.length > 0 ? `#find/${list.map(encodeURIComponent).join("/")}` : "#find";

function showChips() {
  const quick = new Map(QUICK), texts = [...QUICK.map(([token]) => token), ...chips.filter((chip) => !quick.has(chip))];
  const focused = document.activeElement?.dataset?.token;
  chipList.replaceChildren(...texts.map((token) => {
    const on = chips.includes(token);
    const chip = shown("button", { type: "button", "aria-pressed": String(on) }, quick.get(token) ?? `${token}`);
    if (on) chip.append(" ×");
    chip.dataset.token = token;
    chip.title = on ? "Show the others again" : "Show these alone";
    chip.addEventListener("click", () => {
      const next = on ? chips.filter((other) => other !== token) : [...chips, token];
      history.replaceState(null, "", addressOf(next));
      setChips(next);
    });
    return chip;
  }));
  [...chipList.children].find((chip) => chip.dataset.token === focused)?.focus();
}

function setChips(next) {
  chips = next;
  showChips();
  find();
}

const MOST_PRINTED = 10_000;

/** Fills the table for a printer, which has no place to scroll: all rows that are found, up to a limit. */
function fillPrinted() {
  const body = make("tbody", {});
  for (const place of found.slice(0, MOST_PRINTED)) {
    const size = columns.size[place] < 0 ? "" : bytes(columns.size[place]);
    const findings = counts[place] === 0 ? "" : `${grouped(counts[place])} (${SEVERITIES[worst[place]]})`;
    const cells = [columns.state[place], columns.file[place], columns.kind[place], size, columns.license[place], columns.tool[place], findings];
    body.append(make("tr", {}, ...cells.map((text) => make("td", {}, text))));
  }
  const head = make("thead", {}, make("tr", {}, ...HEADS.map(([, label]) => make("th", { scope: "col" }, label))));
  const left = found.length - MOST_PRINTED;
  printed.replaceChildren(make("table", {}, head, body),
    left > 0 ? make("p", {}, `${grouped(left)} more rows are not printed: filter them first.`) : "");
}

function build() {
  const section = byId("blobs");
  input = make("input", { type: "search", id: "filter", placeholder: "Filter: words, license:MIT, kind:component, size:>1MB, -code:not-spdx …", "aria-label": "Filter the rows", autocomplete: "off", spellcheck: "false" });
  count = make("span", { class: "count", role: "status", "aria-live": "polite" });
  chipList = make("div", { class: "chips", role: "group", "aria-label": "Show only" });
  none = make("p", { class: "none", hidden: "" }, "No row matches.");
  notice = make("p", { class: "notice", role: "status", hidden: "" });
  printed = make("div", { class: "printed" });
  const help = make("details", { class: "help" }, make("summary", {}, "Fields"), make("p", {}, "All terms must match. ", make("code", {}, "field:value"),
    " looks in one field, ", make("code", {}, "-"), " before a term excludes it, and quotes keep spaces: ", make("code", {}, 'license:"MIT OR Apache-2.0"'), "."),
    make("p", {}, "Fields: ", make("code", {}, FIELDS.join(" ")), ", and those of annotations: ", make("code", {}, tables.fields.join(" ")),
      ". Sizes: ", make("code", {}, "size:>1MB"), ", ", make("code", {}, "size:<=20KiB"), "."));
  const heads = HEADS.map(([name, label]) => {
    const button = make("button", { type: "button" }, label, make("i", { "aria-hidden": "true" }));
    button.addEventListener("click", () => sortBy(name));
    const head = make("span", { role: "columnheader", class: name === "size" || name === "found" ? "number" : undefined }, button);
    head.dataset.column = name;
    return head;
  });
  spacer = make("div", { class: "spacer", role: "rowgroup" });
  scroller = make("div", { class: "scroller", role: "grid", tabindex: "0", "aria-label": "Rows", "aria-colcount": HEADS.length }, spacer);
  section.replaceChildren(make("div", { class: "tools" }, make("h2", {}, "Rows"), input, count, help, notice, chipList),
    make("div", { class: "grid-head", role: "row" }, ...heads), scroller, none, printed,
    make("p", { class: "keys" }, "/ filters · ↑ ↓ and Enter open a row · a column's name sorts"));
  let waiting = 0;
  input.addEventListener("input", () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(find); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") { scroller.focus(); activate(0); event.preventDefault(); }
  });
  scroller.addEventListener("scroll", draw, { passive: true });
  scroller.addEventListener("keydown", onGridKey);
  scroller.addEventListener("focus", () => { if (active < 0 && found.length > 0) activate(0); });
  spacer.addEventListener("click", (event) => {
    const row = event.target.closest(".grid-row");
    if (row && !event.target.closest("a") && String(getSelection()) === "") { active = row.nth; open(row.place); }
    else if (row) active = row.nth;
  });
  narrow.addEventListener("change", layOut);
  addEventListener("resize", layOut);
  setChips([]);
}
