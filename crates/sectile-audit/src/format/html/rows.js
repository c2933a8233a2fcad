const tables = JSON.parse(byId("tables").textContent);
const ENDED = ["complete", "partial", "unread", "skipped"];

// The indexes of a row's elements, as `data.rs` writes them.
const NTH = 0, FILE = 1, OTHERS = 2, OTHERS_NUMBER = 3, SIZE = 4, DIGEST = 5, VERIFIED = 6, OUTCOME = 7, REASON = 8, KIND = 9,
  NAME = 10, ANNOTATIONS = 11, ITEMS = 12, PRODUCERS = 13, PACKAGES = 14, SHARES = 15, LARGEST = 16, DRAWN = 17, JUDGED = 18,
  ACCEPTED = 19, BYTES_READ = 20, ROW = 21, READ_FROM = 22;

// ---- Rows: one line each, kept as text. The table needs only its columns.

const lines = [], places = new Map();
const columns = { state: [], file: [], kind: [], size: [], license: [], tool: [], found: [] };
const worst = [], counts = [];

// The search index: every distinct text once, as `field:value` in lower case, and the numbers of each row's texts. A query
// looks for texts first, and then for rows that have their numbers: a fraction of the characters.
const texts = [], textFields = [], numbers = new Map(), rowTexts = [], rowEnds = [];
const fieldNames = [], fieldNumbers = new Map();

/** The number of a field. */
function fieldNumber(field) {
  let number = fieldNumbers.get(field);
  if (number === undefined) {
    number = fieldNames.push(field) - 1;
    fieldNumbers.set(field, number);
  }
  return number;
}

/** The number of a text: a value of a field. */
function numberOf([field, value]) {
  const text = `${field}:${visible(value).toLowerCase()}`;
  let number = numbers.get(text);
  if (number === undefined) {
    number = texts.push(text) - 1;
    textFields.push(fieldNumber(field));
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

/** The kind of item, or the kind of row if it is not a binary. */
const kindOf = (row) => row[ROW] === "binary" ? row[KIND] : row[ROW];

/** The fields and values that queries look for. */
function valuesOf(row, state) {
  const values = [["verdict", state], ["row", row[ROW]], ["kind", kindOf(row)], ["path", row[FILE]]];
  if (state !== "accepted" && state !== "refused") values.push(["verdict", "unjudged"]);
  if (row[NAME] !== null) values.push(["name", row[NAME]]);
  if (row[DIGEST] !== null) values.push(["digest", row[DIGEST]]);
  for (const other of row[OTHERS]) values.push(["path", other]);
  for (const [field, value] of row[ANNOTATIONS]) values.push([tables.fields[field], value]);
  for (const [code, severity, , , , , , , rule, excepted] of row[JUDGED]) {
    values.push(["code", tables.codes[code][0]]);
    if (rule !== null) values.push(["rule", rule]);
    if (excepted === undefined) values.push(["severity", SEVERITIES[severity]]);
    else {
      values.push(["is", "excepted"]);
      if (excepted[2] !== null) values.push(["rule", excepted[2]]);
    }
  }
  for (const [field, name, version] of row[PRODUCERS]) values.push(["tool", `${field} ${name}`], ["tool", `${field} ${name} ${version}`]);
  for (const share of row[SHARES]) values.push(["section", share[1]]);
  return values;
}

function add(line) {
  const row = JSON.parse(line), place = lines.length;
  lines.push(line);
  places.set(row[NTH], place);
  const license = row[ANNOTATIONS].find(([field]) => tables.fields[field] === "licenses")?.[1];
  const tool = row[PRODUCERS].find(([field]) => field === "processed-by") ?? row[PRODUCERS][0];
  const state = stateOf(row), values = valuesOf(row, state);
  if (license === undefined && row[KIND] !== "") values.push(["is", "unlicensed"]);
  let bad = -1, number = 0;
  for (const [, severity, , , , , , count, , excepted] of row[JUDGED]) {
    if (excepted !== undefined) continue;
    bad = Math.max(bad, severity);
    number += Number(count);
  }
  rowTexts.push(...new Set(values.map(numberOf)));
  rowEnds.push(rowTexts.length);
  columns.state.push(state);
  columns.file.push(visible(row[FILE]));
  columns.kind.push(kindOf(row));
  columns.size.push(row[SIZE] === null ? -1 : Number(row[SIZE]));
  columns.license.push(license === undefined ? "" : intern(visible(license)));
  columns.tool.push(tool === undefined ? "" : intern(visible(`${tool[1]} ${tool[2]}`.trim())));
  columns.found.push((bad + 1) * 1e9 + number);
  worst.push(bad);
  counts.push(number);
}

/** Reads the elements that hold the rows and removes them. The browser may draw in between. */
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
