// The form that edits an item.
import { make, panel, shown, visible } from "report";

import { valueText } from "./items.js";

const STRIPS = [
  ["debug", "Debug sections", {}],
  ["names", "Debug sections and names", { names: true }],
  ["all", "Everything that is not needed", { all: true }],
];

/** The form for an item. `apply` gets the changes of an edit, and `strip` its options; both return a promise. */
export function editor(item, fields, { apply, strip }) {
  const inputs = ["name", ...fields].map((field) => {
    const value = field === "name" ? item.name : item.annotations[field];
    const given = typeof value === "string" ? value : "";
    const note = value && given === "" ? valueText(value) : undefined;
    const input = make("textarea", { id: `field-${field}`, rows: "1", spellcheck: "false", placeholder: note });
    input.value = given;
    return { field, input, given: input.value, had: value !== undefined && value !== null };
  });
  const invalid = make("input", { type: "checkbox", id: "allow-invalid" });
  const problem = make("p", { class: "problem", role: "alert", hidden: true });
  const form = make("form", { class: "editor" },
    ...inputs.flatMap(({ field, input }) => [make("label", { for: input.id }, field), input]),
    make("label", { class: "check" }, invalid, " Write values that are not valid, too"),
    make("div", { class: "row" }, make("button", { type: "submit", class: "primary" }, "Apply")));
  const guard = async (action) => {
    problem.hidden = true;
    try {
      await action();
    } catch (error) {
      problem.textContent = visible(error.message);
      problem.hidden = false;
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const changed = inputs.filter(({ input, given }) => input.value !== given);
    const values = changed.filter(({ input }) => input.value !== "");
    const name = values.find(({ field }) => field === "name")?.input.value;
    const set = Object.fromEntries(values.filter(({ field }) => field !== "name").map(({ field, input }) => [field, input.value]));
    const unset = changed.filter(({ input, had }) => input.value === "" && had).map(({ field }) => field);
    guard(() => apply({ item: item.path, name, set, unset, allowInvalid: invalid.checked }));
  });
  const select = make("select", { id: "strip" }, ...STRIPS.map(([value, label]) => make("option", { value }, label)));
  const button = make("button", { type: "button" }, "Strip");
  button.addEventListener("click", () => guard(() => strip(STRIPS.find(([value]) => value === select.value)[2])));
  const title = shown("h3", {}, item.path === "" ? `The ${item.kind}` : `Item ${item.path}`);
  return panel("Edit", title, problem, form,
    make("div", { class: "row strip" }, make("label", { for: "strip" }, "Remove from the whole file"), select, button));
}
