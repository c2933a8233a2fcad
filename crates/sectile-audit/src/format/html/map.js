// ---- The map of a blob's sections, to scale: a lane for each depth of nesting.

const LANE = 38, MOST_LANES = 12;

/** Draws spans of a file of `size` bytes. A family is a class and a label. */
function sectionMap(spans, size, families) {
  const sections = spans.map((span) => ({
    ...span, depth: Math.min(span.depth, MOST_LANES), real: span.depth, start: Number(span.start), length: Number(span.length), from: span.start,
  }));
  // Not by `Math.max(...)`: a file may have more sections than a call may have arguments.
  const all = sections.reduce((most, section) => Math.max(most, section.start + section.length), Math.max(size, 1));
  const lanes = sections.reduce((most, section) => Math.max(most, section.depth), 1);
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
    show(readout, "").append(make("i", { class: `dot ${families[section.family][0]}` }), shown("b", {}, section.name ?? section.kind),
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
      const element = make("div", { class: `segment ${families[section.family][0]}${wide ? " wide" : ""}`, role: "option", id: `segment-${nth}`,
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

  const drawn = [...new Set(sections.map((section) => section.family))].sort((a, b) => a - b);
  const legend = make("ul", { class: "legend" }, ...drawn.map((family) => make("li", {},
    make("i", { class: `dot ${families[family][0]}` }), families[family][1])));
  describe();
  return panel("Sections, drawn to scale", make("div", { class: "map-tools" }, into, out, whole, range), map, axis, readout, legend);
}
