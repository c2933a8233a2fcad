// Everything of the input meets the page as text: nodes are made here, and texts are set; there is no markup in any string.

const byId = (id) => document.getElementById(id);
const tables = JSON.parse(byId("tables").textContent);
const SEVERITIES = ["note", "warning", "error"];
const ENDED = ["complete", "partial", "unread", "skipped"];

// The places in a row, as `data.rs` writes them.
const NTH = 0, FILE = 1, OTHERS = 2, OTHERS_NUMBER = 3, SIZE = 4, DIGEST = 5, VERIFIED = 6, OUTCOME = 7, REASON = 8, KIND = 9,
  NAME = 10, ANNOTATIONS = 11, ITEMS = 12, PRODUCERS = 13, PACKAGES = 14, SHARES = 15, LARGEST = 16, DRAWN = 17, JUDGED = 18,
  ACCEPTED = 19, BYTES_READ = 20, ROW = 21;

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
    if (amount < 1023.95 || unit === "EiB") return `${amount.toFixed(1)} ${unit}`;
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

/** What the row is about: a module or a component, or what is none. */
const kindOf = (row) => row[ROW] === "binary" ? row[KIND] : row[ROW];

function add(line) {
  const row = JSON.parse(line), place = lines.length;
  lines.push(line);
  places.set(row[NTH], place);
  const license = row[ANNOTATIONS].find(([field]) => tables.fields[field] === "licenses")?.[1];
  const tool = row[PRODUCERS].find(([field]) => field === "processed-by") ?? row[PRODUCERS][0];
  const state = stateOf(row), file = visible(row[FILE]);
  let bad = -1, number = 0;
  const tokens = [`verdict:${state}`, `row:${row[ROW]}`, `kind:${row[KIND]}`];
  if (state !== "accepted" && state !== "refused") tokens.push("verdict:unjudged");
  for (const [code, severity, , , , , , count, , excepted] of row[JUDGED]) {
    tokens.push(`finding:${tables.codes[code][0]}`);
    if (excepted !== undefined) {
      tokens.push("excepted");
      continue;
    }
    bad = Math.max(bad, severity);
    number += Number(count);
    tokens.push(`severity:${SEVERITIES[severity]}`);
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
  columns.kind.push(kindOf(row));
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
