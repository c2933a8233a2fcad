"use strict";
// Everything of the input meets the page as text: nodes are made here, and texts are set; there is no markup in any string.
(() => {
  const byId = (id) => document.getElementById(id);
  const tables = JSON.parse(byId("tables").textContent);
  const SEVERITIES = ["note", "warning", "error"];
  const ENDED = ["complete", "partial", "unread", "skipped"];

  // The places in a row, as `data.rs` writes them.
  const NTH = 0, FILE = 1, OTHERS = 2, OTHERS_NUMBER = 3, SIZE = 4, DIGEST = 5, VERIFIED = 6, OUTCOME = 7, REASON = 8, KIND = 9,
    NAME = 10, ANNOTATIONS = 11, ITEMS = 12, PRODUCERS = 13, PACKAGES = 14, SHARES = 15, LARGEST = 16, DRAWN = 17, JUDGED = 18,
    ACCEPTED = 19, BYTES_READ = 20;

  // ---- Texts

  const DECEPTIVE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;
  const EVERY_DECEPTIVE = new RegExp(DECEPTIVE.source, "gu");
  const NAMED = new Map([["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"]]);

  /** What stands for a character that could deceive: the same as the command shows. */
  function escapeOf(character) {
    const code = character.codePointAt(0);
    return NAMED.get(character) ?? (code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`);
  }

  /** A text with what could deceive written out. */
  const visible = (text) => DECEPTIVE.test(text) ? text.replace(EVERY_DECEPTIVE, escapeOf) : text;

  /** Appends a text; what was written out is marked. */
  function show(parent, text) {
    let from = 0;
    for (const match of text.matchAll(EVERY_DECEPTIVE)) {
      parent.append(text.slice(from, match.index), make("span", { class: "escape" }, escapeOf(match[0])));
      from = match.index + match[0].length;
    }
    parent.append(text.slice(from));
    return parent;
  }

  function make(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes ?? {})) {
      if (value !== undefined && value !== false) element.setAttribute(key, value);
    }
    element.append(...children.filter((child) => child !== undefined && child !== null));
    return element;
  }

  const shown = (name, attributes, text) => show(make(name, attributes), text);
  const grouped = (number) => String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const hex = (number) => `0x${BigInt(number).toString(16)}`;

  function bytes(number) {
    let amount = Number(number);
    if (amount < 1024) return `${amount} B`;
    for (const unit of ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]) {
      amount /= 1024;
      if (amount < 1024 || unit === "EiB") return `${amount.toFixed(1)} ${unit}`;
    }
  }

  function share(part, of) {
    const percent = Number(of) > 0 ? Number(part) / Number(of) * 100 : 0;
    return percent > 0 && percent < 0.05 ? "< 0.1 %" : `${percent.toFixed(1)} %`;
  }

  // ---- Rows: a line each, kept as the text that it is; what the table needs stands in columns.

  const lines = [], places = new Map();
  const columns = { state: [], file: [], kind: [], size: [], license: [], tool: [], found: [] };
  const worst = [], counts = [];

  // What is searched: every distinct text once, and of each row which texts it has. A word is looked for in the texts, and then
  // the rows are asked for numbers: that is a fraction of the characters.
  const texts = [], numbers = new Map(), rowTexts = [], rowEnds = [];

  /** The number of a text. */
  function numberOf(text) {
    let number = numbers.get(text);
    if (number === undefined) {
      number = texts.push(text) - 1;
      numbers.set(text, number);
    }
    return number;
  }

  const interned = new Map();

  function intern(text) {
    const known = interned.get(text);
    if (known === undefined) interned.set(text, text);
    return known ?? text;
  }

  function stateOf(row) {
    if (row[ACCEPTED]) return "accepted";
    if (row[JUDGED].some((judged) => judged[2])) return "refused";
    return row[OUTCOME] === 0 ? "refused" : ENDED[row[OUTCOME]];
  }

  function add(line) {
    const row = JSON.parse(line), place = lines.length;
    lines.push(line);
    places.set(row[NTH], place);
    const license = row[ANNOTATIONS].find(([field]) => tables.fields[field] === "licenses")?.[1];
    const tool = row[PRODUCERS].find(([field]) => field === "processed-by") ?? row[PRODUCERS][0];
    const state = stateOf(row), file = visible(row[FILE]);
    let bad = -1, number = 0;
    const tokens = [`verdict:${state}`, `kind:${row[KIND]}`];
    if (state !== "accepted" && state !== "refused") tokens.push("verdict:unjudged");
    for (const [code, severity, , , , , , count] of row[JUDGED]) {
      bad = Math.max(bad, severity);
      number += Number(count);
      tokens.push(`finding:${tables.codes[code][0]}`, `severity:${SEVERITIES[severity]}`);
    }
    if (license !== undefined) tokens.push(`licenses:${visible(license)}`);
    else if (row[KIND] !== "") tokens.push("no-license");
    for (const [field, name, version] of row[PRODUCERS]) {
      const token = `producer:${visible(field)} ${visible(name)}`;
      tokens.push(token, `${token} ${visible(version)}`);
    }
    for (const share of row[SHARES]) tokens.push(`section:${visible(share[1])}`);
    const values = [row[NAME] ?? "", row[DIGEST] ?? "", ...row[OTHERS], ...row[ANNOTATIONS].map(([, value]) => value)];
    const own = new Set([file, ...tokens, ...values.map(visible)].map((text) => numberOf(text.toLowerCase())));
    rowTexts.push(...own);
    rowEnds.push(rowTexts.length);
    columns.state.push(state);
    columns.file.push(file);
    columns.kind.push(row[KIND]);
    columns.size.push(row[SIZE] === null ? -1 : Number(row[SIZE]));
    columns.license.push(license === undefined ? "" : intern(visible(license)));
    columns.tool.push(tool === undefined ? "" : intern(visible(`${tool[1]} ${tool[2]}`.trim())));
    columns.found.push((bad + 1) * 1e9 + number);
    worst.push(bad);
    counts.push(number);
  }

  /** Reads the elements that hold the rows, and gives them back to the browser; it may draw in between. */
  async function read() {
    const loading = byId("loading");
    loading.hidden = false;
    let begun = performance.now();
    for (const element of document.querySelectorAll("script.rows")) {
      for (const line of element.textContent.split("\n")) {
        if (line !== "") add(line);
      }
      element.remove();
      if (performance.now() - begun > 30) {
        loading.textContent = `Reading the rows … ${grouped(lines.length)}`;
        await new Promise((resolve) => setTimeout(resolve));
        begun = performance.now();
      }
    }
    interned.clear();
    textsOfRows = Uint32Array.from(rowTexts);
    rowTexts.length = 0;
    loading.hidden = true;
  }

  const rowAt = (place) => JSON.parse(lines[place]);

  let textsOfRows;
  const known = new Map(); // words that were looked for: in which texts they are, and in which rows
  const MOST_KNOWN = 24;

  /** The rows with a text that is as asked for, a byte each. */
  function rowsWith(isMeant) {
    const rows = new Uint8Array(lines.length);
    for (let place = 0, at = 0; place < rows.length; place++) {
      const end = rowEnds[place];
      while (at < end && isMeant[textsOfRows[at]] === 0) at++;
      rows[place] = at < end ? 1 : 0;
      at = end;
    }
    return rows;
  }

  /** The rows that a word is somewhere in. What holds a longer word holds every part of it: only those texts are looked at. */
  function rowsWithWord(word) {
    let entry = known.get(word);
    if (entry === undefined) {
      const within = [...known].filter(([other]) => word.includes(other)).sort(([a], [b]) => b.length - a.length)[0]?.[1].isMeant;
      const isMeant = new Uint8Array(texts.length);
      for (let number = 0; number < isMeant.length; number++) {
        if ((within === undefined || within[number] === 1) && texts[number].includes(word)) isMeant[number] = 1;
      }
      entry = { isMeant, rows: rowsWith(isMeant) };
    }
    known.delete(word);
    known.set(word, entry); // as the newest
    if (known.size > MOST_KNOWN) known.delete(known.keys().next().value);
    return entry.rows;
  }

  /** The rows that have a text, whole. (One that nobody has is the beginning of one that the summary has cut.) */
  function rowsWithText(text) {
    if (!numbers.has(text)) return rowsWithWord(text);
    const isMeant = new Uint8Array(texts.length);
    isMeant[numbers.get(text)] = 1;
    return rowsWith(isMeant);
  }

  // ---- The table

  const HEADS = [["state", "Verdict"], ["file", "File"], ["kind", "Kind"], ["size", "Size"], ["license", "Licence"],
    ["tool", "Made with"], ["found", "Findings"]];
  const QUICK = [["verdict:refused", "refused"], ["verdict:unjudged", "not read to the end"], ["severity:warning", "with warnings"],
    ["no-license", "without a licence"]];
  const STATES = new Map([["accepted", "ok"], ["refused", "error"], ["unread", "error"], ["partial", "warning"], ["skipped", "none"]]);
  const TALLEST = 12_000_000; // pixels; browsers draw nothing far below

  const narrow = matchMedia("(max-width: 760px)");
  const orders = new Map();
  const pool = [];
  let found = [], sorted = { by: "file", down: false, touched: false }, chips = [], active = -1;
  let scroller, spacer, input, count, chipList, none;

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

  /** Finds the rows that every word and every chip is in. */
  function find() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean).map(rowsWithWord);
    const asked = words.concat(chips.map((chip) => rowsWithText(chip.toLowerCase())));
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
    count.textContent = found.length === lines.length ? `${all} blobs` : `${grouped(found.length)} of ${all} blobs`;
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

  function build() {
    const section = byId("blobs");
    input = make("input", { type: "search", id: "filter", placeholder: "Filter: names, licences, tools, digests, codes …", "aria-label": "Filter the blobs", autocomplete: "off", spellcheck: "false" });
    count = make("span", { class: "count", role: "status", "aria-live": "polite" });
    chipList = make("div", { class: "chips", role: "group", "aria-label": "Show only" });
    none = make("p", { class: "none", hidden: "" }, "No blob is like that.");
    const heads = HEADS.map(([name, label]) => {
      const button = make("button", { type: "button" }, label, make("i", { "aria-hidden": "true" }));
      button.addEventListener("click", () => sortBy(name));
      const head = make("span", { role: "columnheader", class: name === "size" || name === "found" ? "number" : undefined }, button);
      head.dataset.column = name;
      return head;
    });
    spacer = make("div", { class: "spacer", role: "rowgroup" });
    scroller = make("div", { class: "scroller", role: "grid", tabindex: "0", "aria-label": "Blobs", "aria-colcount": HEADS.length }, spacer);
    section.replaceChildren(make("div", { class: "tools" }, make("h2", {}, "Blobs"), input, count, chipList),
      make("div", { class: "grid-head", role: "row" }, ...heads), scroller, none,
      make("p", { class: "keys" }, "/ filters · ↑ ↓ and Enter choose a blob · a column's name sorts"));
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

  // ---- The page of a blob

  function blob(place) {
    const row = rowAt(place), at = found.indexOf(place), main = byId("blob");
    const link = (to, label, title) => to === undefined ? undefined : make("a", { href: `#blob/${rowAt(to)[NTH]}`, title, rel: title }, label);
    const position = at < 0 ? "" : `${grouped(at + 1)} of ${grouped(found.length)}`;
    const state = columns.state[place], size = row[SIZE];
    const end = row[FILE].lastIndexOf("/") + 1;
    main.replaceChildren(
      make("nav", { class: "crumbs", "aria-label": "Blobs" }, make("a", { href: addressOf(chips) }, "← All blobs"),
        at > 0 ? link(found[at - 1], "‹ Before", "prev") : undefined, at >= 0 ? link(found[at + 1], "Next ›", "next") : undefined,
        make("span", { class: "of" }, position)),
      make("div", { class: "title" },
        make("h2", {}, shown("span", { class: "soft" }, row[FILE].slice(0, end)), shown("span", {}, row[FILE].slice(end))),
        make("p", {}, make("span", { class: `pill s-${STATES.get(state)}` }, state),
          row[KIND] === "" ? "" : make("span", {}, row[KIND]), size === null ? "" : make("span", {}, `${bytes(size)} (${grouped(size)} bytes)`))));
    if (row[REASON]) {
      const [message, offset] = row[REASON];
      main.append(show(make("p", { class: "stopped" }, make("strong", {}, `${ENDED[row[OUTCOME]]}: `)), message + (offset === null ? "" : ` (at ${hex(offset)})`)));
    }
    if (row[DRAWN].length > 0) main.append(sectionMap(row));
    main.append(make("div", { class: "split" }, make("div", {}, findings(row), made(row)), make("div", {}, facts(row), shares(row))));
    return visible(row[FILE]);
  }

  function panel(title, ...children) {
    return make("section", { class: "panel" }, make("h2", {}, title), ...children);
  }

  function findings(row) {
    const items = [...row[JUDGED]].sort((a, b) => b[2] - a[2] || b[1] - a[1]).map(([code, severity, refused, path, offset, section, message, number, reason]) => {
      const [name, help] = tables.codes[code];
      const where = show(make("p", { class: "where" }), [`at ${hex(offset)}`, section === null ? "" : `section ${section}`,
        path === "" ? "" : `item ${path}`, Number(number) > 1 ? `${grouped(number)} times` : ""].filter(Boolean).join(" · "));
      return make("li", {}, make("span", { class: `pill s-${SEVERITIES[severity]}` }, SEVERITIES[severity]), " ",
        make("b", { title: help }, name), refused ? " · refused" : "", shown("p", {}, message), where,
        reason === undefined ? undefined : shown("p", { class: "where" }, `excepted: ${reason}`));
    });
    return panel("Findings", items.length > 0 ? make("ul", { class: "list" }, ...items) : make("p", { class: "empty" }, "Nothing was found."));
  }

  function facts(row) {
    const list = make("dl", { class: "facts" });
    const fact = (label, text, name) => {
      if (text !== null && text !== "") list.append(make("dt", {}, label), shown("dd", name ? { class: name } : {}, String(text)));
    };
    fact("name", row[NAME]);
    for (const [field, value] of row[ANNOTATIONS]) fact(tables.fields[field], value === "" ? "(empty)" : value);
    fact("digest", row[DIGEST], "mono");
    if (row[DIGEST] !== null) fact("", row[VERIFIED] ? "computed from all bytes" : "as its store calls it; not computed");
    fact("items", grouped(row[ITEMS]));
    fact("packages", grouped(row[PACKAGES]));
    fact("outcome", ENDED[row[OUTCOME]]);
    fact("read", row[SIZE] === null ? bytes(row[BYTES_READ]) : `${bytes(row[BYTES_READ])}, ${share(row[BYTES_READ], row[SIZE])}`);
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

  function svg(name, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  }

  // ---- The map of a blob's sections, to scale: a lane for each depth of nesting.

  const LANE = 38, MOST_LANES = 12;

  function sectionMap(row) {
    const sections = row[DRAWN].map(([family, kind, name, depth, start, length, number]) => ({
      family, kind, name, number, depth: Math.min(depth, MOST_LANES), real: depth, start: Number(start), length: Number(length), from: start,
    }));
    const all = Math.max(Number(row[SIZE] ?? 0), ...sections.map((section) => section.start + section.length), 1);
    const lanes = Math.max(...sections.map((section) => section.depth));
    let view = [0, all], active = -1;

    const map = make("div", { class: "map", tabindex: "0", role: "listbox", "aria-label": "Sections, drawn to scale" });
    map.style.height = `${lanes * LANE}px`;
    const readout = make("p", { class: "readout", role: "status", "aria-live": "polite" });
    const axis = make("div", { class: "axis" }), range = make("span", { class: "range" });
    const button = (label, act) => {
      const element = make("button", { type: "button" }, label);
      element.addEventListener("click", act);
      return element;
    };
    const whole = button("Whole file", () => zoom(0, all)), out = button("Zoom out", () => zoomBy(4)), into = button("Zoom in", () => zoomBy(0.25));

    const title = (section) => `${section.name ?? section.kind}${section.number > 1 ? `, ${grouped(section.number)} sections` : ""}`;
    const end = (section) => section.start + section.length;

    function describe() {
      readout.replaceChildren();
      const section = sections[active];
      if (section === undefined) {
        readout.append(make("span", { class: "soft" }, "Point at a section, or use the arrow keys; a click or Enter zooms to it, Escape back."));
        return;
      }
      show(readout, "").append(make("i", { class: `dot ${tables.families[section.family][0]}` }), shown("b", {}, section.name ?? section.kind),
        shown("span", {}, section.name === null ? "" : ` (${section.kind})`), ` · ${bytes(section.length)}, ${share(section.length, all)}`,
        section.number > 1 ? ` · ${grouped(section.number)} sections` : "", make("br"),
        make("span", { class: "mono soft" }, `${hex(section.from)} – ${hex(BigInt(section.from) + BigInt(section.length))}`),
        make("span", { class: "soft" }, section.real > 1 ? ` · in ${section.real - 1} nested item${section.real > 2 ? "s" : ""}` : ""));
    }

    function activate(nth) {
      active = nth;
      for (const element of map.children) {
        const is = element.nth === nth;
        element.classList.toggle("active", is);
        element.setAttribute("aria-selected", String(is));
        if (is) map.setAttribute("aria-activedescendant", element.id);
      }
      describe();
    }

    function paint() {
      const [from, to] = view, width = map.clientWidth || 1000, scale = width / (to - from);
      map.replaceChildren();
      sections.forEach((section, nth) => {
        const left = (Math.max(section.start, from) - from) * scale, right = (Math.min(end(section), to) - from) * scale;
        if (right < 0 || left > width || right - left < 0.2) return;
        const label = title(section), wide = right - left > 34;
        const element = make("div", { class: `segment ${tables.families[section.family][0]}${wide ? " wide" : ""}`, role: "option", id: `segment-${nth}`,
          title: `${visible(label)}: ${bytes(section.length)}`, "aria-label": `${visible(label)}, ${bytes(section.length)}` }, wide ? visible(label) : "");
        element.nth = nth;
        element.style.left = `${left / width * 100}%`;
        element.style.width = `${Math.max(right - left, 1) / width * 100}%`;
        element.style.top = `${(section.depth - 1) * LANE}px`;
        map.append(element);
      });
      axis.replaceChildren(...[0, 0.25, 0.5, 0.75, 1].map((part) => make("span", {}, hex(Math.round(from + (to - from) * part)))));
      range.textContent = from === 0 && to === all ? "" : `${share(to - from, all)} of the file`;
      whole.disabled = out.disabled = from === 0 && to === all;
      into.disabled = to - from <= 16;
      if (active >= 0) activate(active);
    }

    function zoom(from, to) {
      const length = Math.min(Math.max(to - from, 16), all);
      const begin = Math.min(Math.max(from, 0), all - length);
      view = [begin, begin + length];
      paint();
    }

    function zoomBy(factor) {
      const section = sections[active], middle = section && factor < 1 ? section.start + section.length / 2 : (view[0] + view[1]) / 2;
      const half = (view[1] - view[0]) * factor / 2;
      zoom(middle - half, middle + half);
    }

    function zoomTo(section) {
      const holds = sections.some((other) => other.real > section.real && other.start >= section.start && end(other) <= end(section));
      const margin = holds ? 0 : section.length * 0.35;
      zoom(section.start - margin, end(section) + margin);
    }

    map.addEventListener("pointermove", (event) => {
      const element = event.target.closest(".segment");
      if (element && element.nth !== active) activate(element.nth);
    });
    map.addEventListener("click", (event) => {
      const element = event.target.closest(".segment");
      if (element) { activate(element.nth); zoomTo(sections[element.nth]); }
    });
    map.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const alike = (step) => {
        for (let nth = active + step; nth >= 0 && nth < sections.length; nth += step) {
          if (active < 0 || sections[nth].depth === sections[active].depth) return nth;
        }
        return active;
      };
      const under = () => sections.findIndex((other) => active >= 0 && other.real === sections[active].real + 1 && other.start >= sections[active].start && end(other) <= end(sections[active]));
      const over = () => sections.findLastIndex((other, nth) => active >= 0 && nth < active && other.real === sections[active].real - 1 && end(other) >= end(sections[active]));
      let next;
      if (event.key === "ArrowRight") next = alike(1);
      else if (event.key === "ArrowLeft") next = alike(-1);
      else if (event.key === "ArrowDown") next = active < 0 ? 0 : under();
      else if (event.key === "ArrowUp") next = over();
      else if (event.key === "Home") next = 0;
      else if (event.key === "End") next = sections.length - 1;
      else if (event.key === "Enter" && active >= 0) zoomTo(sections[active]);
      else if (event.key === "+") zoomBy(0.25);
      else if (event.key === "-") zoomBy(4);
      else if (event.key === "Escape") zoom(0, all);
      else return;
      event.preventDefault();
      if (next !== undefined && next >= 0) {
        active = next;
        const section = sections[next];
        if (section.start < view[0] || end(section) > view[1]) {
          const half = Math.max((view[1] - view[0]) / 2, section.length / 2);
          zoom(section.start + section.length / 2 - half, section.start + section.length / 2 + half);
        }
        activate(next);
      }
    });
    new ResizeObserver(paint).observe(map);

    const families = [...new Set(sections.map((section) => section.family))].sort((a, b) => a - b);
    const legend = make("ul", { class: "legend" }, ...families.map((family) => make("li", {},
      make("i", { class: `dot ${tables.families[family][0]}` }), tables.families[family][1])));
    describe();
    return panel("Sections, drawn to scale", make("div", { class: "map-tools" }, into, out, whole, range), map, axis, readout, legend);
  }

  // ---- Where the address says

  const title = document.title;
  let scrolled = 0;

  function route() {
    const [what, ...rest] = location.hash.slice(1).split("/");
    const place = what === "blob" ? places.get(rest[0]) : undefined;
    const isBlob = place !== undefined, main = byId("blob");
    if (!byId("overview").hidden) scrolled = scrollY;
    byId("overview").hidden = byId("blobs").hidden = isBlob;
    main.hidden = !isBlob;
    if (isBlob) {
      document.title = `${blob(place)} · ${title}`;
      scrollTo({ top: 0, behavior: "instant" });
      main.focus({ preventScroll: true });
      return;
    }
    main.replaceChildren();
    document.title = title;
    if (what === "find") {
      let next = [];
      try { next = rest.map(decodeURIComponent); } catch { /* an address that somebody has cut off asks for nothing */ }
      if (next.join("\n") !== chips.join("\n")) setChips(next);
      else layOut();
      byId("blobs").scrollIntoView();
    } else {
      layOut();
      scrollTo({ top: scrolled, behavior: "instant" });
    }
  }

  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input");
    if (event.key === "/" && !typing && !byId("blobs").hidden) { input.focus(); event.preventDefault(); }
    if (event.key === "Escape" && typing && input.value !== "") { input.value = ""; find(); event.preventDefault(); }
    if (event.key === "Escape" && !typing && !byId("blob").hidden && !event.defaultPrevented) location.hash = addressOf(chips);
  });

  read().then(() => {
    build();
    document.querySelector(".about").append(make("a", { class: "jump", href: "#find" }, "All blobs ↓"));
    addEventListener("hashchange", route);
    route();
    document.documentElement.dataset.ready = "true";
  });
})();
