// ---- The address, the keyboard and the printer

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
    try { next = rest.map(decodeURIComponent); } catch { /* a truncated address filters nothing */ }
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

// A printer shows all rows that are found, and every detail.
let opened = [];
addEventListener("beforeprint", () => {
  fillPrinted();
  opened = [...document.querySelectorAll("details:not([open]):not(.help)")];
  for (const details of opened) details.open = true;
});
addEventListener("afterprint", () => {
  printed.replaceChildren();
  for (const details of opened) details.open = false;
});

read().then(() => {
  build();
  document.querySelector(".about").append(make("a", { class: "jump", href: "#find" }, "All rows ↓"));
  addEventListener("hashchange", route);
  route();
  document.documentElement.dataset.ready = "true";
});
