// The page: opens files, keeps the present state, and draws it. All text of a file is set as text, never as markup.
import { edit, FIELDS, read, sections, strip } from "sectile";
import { byId, bytes, grouped, hex, make, panel, sectionMap, shown, visible } from "report";

import { binariesIn } from "./archive.js";
import { comparison } from "./compare.js";
import { editor } from "./editor.js";
import { FAMILIES } from "./families.js";
import { spansOf } from "./family.js";
import { findings } from "./findings.js";
import { itemsOf } from "./items.js";
import { externList, lists, packageList, sectionList } from "./lists.js";
import { itemTree } from "./tree.js";

/** The longest file whose data is searched for packages. The core holds what it searches. */
const MAX_SEARCHED = 48 << 20;

/** The file as it was opened, and as the edits made it; each as `inspect` returns it. The archive that it is from. */
let original, current, compared, archive;
/** The path of the selected item, and the changes so far. */
let selected = "", changes = [];

// ---- Reading

async function inspect(file, packages = "declared") {
  const [document, { sections: listed }] = await Promise.all([
    before(read(file, { interface: true, packages })),
    before(sections(file)),
  ]);
  return { file, document, sections: listed, isSearched: packages === "all" };
}

/** The document, up to a fault, which it describes. */
async function before(answer) {
  try {
    return await answer;
  } catch (error) {
    if (!error.partial) throw error;
    return Object.assign(error.partial, { fault: error });
  }
}

/** Runs an action that reads files; another one that starts later supersedes it. */
let runs = 0;
async function busy(text, action) {
  const run = ++runs;
  byId("problem").hidden = true;
  byId("status").textContent = text;
  try {
    const result = await action();
    if (run === runs) return result;
  } catch (error) {
    if (run === runs) fail(error.message);
  }
  return undefined;
}

function fail(message) {
  byId("status").textContent = "";
  byId("problem").textContent = visible(message);
  byId("problem").hidden = false;
}

/** Opens a binary, or the first one in an archive. */
async function open(file) {
  const found = await busy(`Reading ${visible(file.name)} …`, async () => ({ binaries: await binariesIn(file) }));
  if (!found) return;
  if (found.binaries?.length === 0) {
    fail(`${file.name}: the archive has no WebAssembly binaries`);
    return;
  }
  await openBinary(found.binaries?.[0] ?? file, found.binaries && { name: file.name, binaries: found.binaries });
}

async function openBinary(file, from) {
  const opened = await busy(`Reading ${visible(file.name)} …`, () => inspect(file));
  if (!opened) return;
  if (opened.document.item === null) return fail(`${file.name}: ${opened.document.fault.message}`);
  [original, current, compared, archive, selected, changes] = [opened, opened, undefined, from, "", []];
  draw();
  byId("main").focus({ preventScroll: true });
}

async function compareWith(file) {
  const other = await busy(`Reading ${visible(file.name)} …`, async () => inspect((await binariesIn(file))?.[0] ?? file));
  if (!other) return;
  if (other.document.item === null) return fail(`${file.name}: ${other.document.fault.message}`);
  compared = other;
  draw();
  byId("differences").scrollIntoView();
}

async function search() {
  const found = await busy("Searching the data …", () => inspect(current.file, "all"));
  if (found) {
    current = found;
    draw();
  }
}

// ---- Editing

/** Makes the result of an edit the present state. It refers to the bytes of the file that are kept, and reads none. */
async function apply(plan) {
  const edits = current, { file } = edits;
  const edited = await plan(file);
  edited.close();
  if (!edited.isChanged) {
    byId("status").textContent = "Already up to date: the edit changes nothing.";
    return;
  }
  const parts = edited.pieces.map(({ keep, insert }) => insert ?? file.slice(...keep));
  const result = new File(parts, file.name, { type: "application/wasm" });
  const opened = await inspect(result);
  if (current !== edits) return; // another file was opened meanwhile
  changes = [...changes, ...edited.document.changes];
  current = opened;
  draw();
}

function download() {
  const address = URL.createObjectURL(current.file);
  const link = make("a", { href: address, download: current.file.name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

// ---- Drawing

function draw() {
  const { file, document: { item, findings: found, packages, fault, bytes_read: bytesRead }, sections: listed, isSearched } = current;
  const items = itemsOf(current.document);
  document.title = `${visible(file.name)} · Sectile`;
  byId("compare").disabled = false;
  byId("status").textContent = `${bytes(bytesRead)} of ${bytes(file.size)} were read.`;
  const form = make("div");
  const tree = itemTree(items, file.size, selected, (chosen) => {
    selected = chosen.path;
    form.replaceChildren(editor(chosen, FIELDS, {
      apply: (wanted) => apply((file) => edit(file, wanted)),
      strip: (options) => apply((file) => strip(file, options)),
    }));
  });
  byId("main").replaceChildren(...[
    archive && binaryList(),
    title(item.kind),
    fault && make("p", { class: "stopped" }, make("strong", {}, `${current.document.outcome}: `), visible(fault.message), fault.offset === undefined ? "" : ` (at ${hex(fault.offset)})`),
    compared && comparison(current, compared),
    listed.length > 0 && sectionMap(spansOf(listed, file.size), file.size, FAMILIES),
    make("div", { class: "split" }, make("div", {}, tree, findings(found)), make("div", {}, form, changeList())),
    lists([
      packageList(packages, isSearched ? "a list of recovered packages may lack some" : "only declared ones", isSearched ? undefined : searchButton(file)),
      externList("Imports", item.imports ?? []),
      externList("Exports", item.exports ?? []),
      sectionList(listed),
    ]),
  ].filter(Boolean));
}

function title(kind) {
  const { file } = current;
  const save = button("Download", download, "primary"), back = button("Undo all edits", () => {
    [current, changes] = [original, []];
    draw();
  });
  save.id = "download";
  back.disabled = current === original;
  return make("div", { class: "title" }, shown("h2", {}, file.name),
    make("p", {}, make("span", { class: "pill s-note" }, kind), make("span", {}, `${bytes(file.size)} (${grouped(file.size)} bytes)`), save, back));
}

/** The binaries of the archive; the open one is pressed. */
function binaryList() {
  const buttons = archive.binaries.map((file) => {
    const open = button("", () => openBinary(file, archive));
    open.setAttribute("aria-pressed", String(file === original.file));
    open.append(shown("span", {}, file.name), make("span", { class: "value" }, bytes(file.size)));
    return make("li", {}, open);
  });
  const note = make("p", { class: "note" }, `${grouped(buttons.length)} in `, shown("span", {}, archive.name), ". An edit changes the binary, not the archive.");
  return panel("Binaries", note, make("ul", { class: "binaries" }, ...buttons));
}

function changeList() {
  if (changes.length === 0) return "";
  const lines = changes.map(({ path, section, change, bytes: [from, to] }) =>
    shown("li", {}, `${change}: ${section}${path === "" ? "" : ` of item ${path}`}, ${grouped(from)} to ${grouped(to)} bytes`));
  return panel("Changes", make("ol", { class: "list changes" }, ...lines));
}

function searchButton(file) {
  if (file.size > MAX_SEARCHED) return make("p", { class: "note" }, `The data of files over ${bytes(MAX_SEARCHED)} is searched by the command.`);
  return button("Search the data for packages", search);
}

function button(label, act, name) {
  const element = make("button", { type: "button", class: name }, label);
  element.addEventListener("click", act);
  return element;
}

// ---- Files

for (const [name, picker, take] of [["open", "file", open], ["compare", "other", compareWith], ["drop", "file", open]]) {
  byId(name).addEventListener("click", () => byId(picker).click());
  if (name === "drop") continue;
  byId(picker).addEventListener("change", ({ target }) => {
    const [file] = target.files;
    target.value = "";
    if (file) take(file);
  });
}
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dragging");
});
addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.body.classList.remove("dragging");
});
addEventListener("drop", async (event) => {
  event.preventDefault();
  document.body.classList.remove("dragging");
  const [file, other] = event.dataTransfer.files;
  if (file) await open(file);
  if (other) await compareWith(other);
});
