import "./inbox.css";
import { Selection } from "../selection.js";
import { onKey } from "../shortcuts.js";
import { follow } from "./live.js";

const inbox = document.getElementById("inbox");
const list = document.getElementById("inbox-list");
const state = document.getElementById("inbox-state");
const words = inbox.dataset;
const title = document.title;
const selection = new Selection();
const fresh = new Set();
let many = false;
let at = null; // the case the keyboard is on

const boxes = () => [...list.querySelectorAll(".tick input")];
const link = (id) => list.querySelector(`tr[data-case="${id}"] .row-link`);
const rows = () => [...list.querySelectorAll("tr[data-case]")];

function paint() {
  const all = document.getElementById("tick-all");
  const some = boxes();
  if (all) {
    all.hidden = some.length === 0;
    const ticked = selection.all(some);
    all.checked = ticked === true;
    all.indeterminate = ticked === null;
  }
  const count = selection.values.size;
  const told = document.getElementById("ticked");
  if (told) told.textContent = count ? words.selected.replace("{count}", count) : "";
  list.querySelector(".inbox-deeds")?.toggleAttribute("data-idle", count === 0);
  for (const box of some) box.closest("tr").classList.toggle("row-ticked", box.checked);
  for (const row of rows()) row.classList.toggle("row-at", row.dataset.case === at);
}

function offer() {
  const place = document.getElementById("fresh");
  const count = fresh.size;
  document.title = count ? `(${count}${many ? "+" : ""}) ${title}` : title;
  if (!place) return;
  place.hidden = count === 0 && !many;
  place.firstElementChild.textContent = words.fresh.replace("{count}", `${count}${many ? "+" : ""}`);
}

/** Put what the server says in place of the list; what is ticked and where the person is stays. */
async function load() {
  const before = new Set(rows().map((row) => row.dataset.case));
  const wanted = new Set(fresh);
  try {
    const response = await fetch(location.pathname + location.search, { headers: { "HX-Request": "true" }, cache: "no-store" });
    if (!response.ok || response.redirected) return;
    const held = list.contains(document.activeElement);
    const focused = document.activeElement?.id;
    list.innerHTML = await response.text();
    for (const id of wanted) fresh.delete(id);
    many = false;
    selection.after(boxes());
    for (const row of rows()) row.classList.toggle("row-fresh", !before.has(row.dataset.case) || wanted.has(Number(row.dataset.case)));
    if (held) (document.getElementById(focused) ?? link(at) ?? list.querySelector(".row-link"))?.focus({ preventScroll: true });
    paint();
    offer();
  } catch {
    // no connection: the list stays as it is
  }
}

list.addEventListener("change", (event) => {
  if (event.target.id === "tick-all") {
    for (const box of boxes()) {
      box.checked = event.target.checked;
      selection.note(box);
    }
  } else if (event.target.closest(".tick")) selection.note(event.target);
  else return;
  paint();
});
list.addEventListener("click", (event) => event.target.closest("#fresh button") && load());

function step(by) {
  const all = rows();
  if (!all.length) return;
  const now = all.findIndex((row) => row.dataset.case === at);
  const row = all[Math.max(0, Math.min(all.length - 1, now < 0 ? 0 : now + by))];
  at = row.dataset.case;
  paint();
  row.querySelector(".row-link").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}
onKey(["j"], () => step(1));
onKey(["k"], () => step(-1));
onKey(["x"], () => {
  const box = rows().find((row) => row.dataset.case === at)?.querySelector(".tick input");
  if (!box) return;
  box.checked = !box.checked;
  selection.note(box);
  paint();
});
onKey(["Enter", "o"], (event) => {
  if (event.key === "Enter" && event.target.closest("a, button, summary, input")) return;
  rows()
    .find((row) => row.dataset.case === at)
    ?.querySelector(".row-link")
    .click();
});
onKey(["/"], (event) => {
  event.preventDefault();
  document.getElementById("id_q").focus();
});
list.addEventListener("focusin", (event) => {
  const row = event.target.closest("tr[data-case]");
  if (!row) return;
  at = row.dataset.case;
  paint();
});

// A choice of a filter is applied at once; the button is for those without this script.
for (const select of document.querySelectorAll(".inbox-filter select")) select.addEventListener("change", () => select.form.requestSubmit());
document.querySelector(".inbox-filter").addEventListener("submit", (event) => {
  for (const field of event.target.querySelectorAll("select, input")) if (!field.value || (field.name === "state" && field.value === "open") || (field.name === "sort" && field.value === "newest")) field.disabled = true;
});
addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll(".inbox-filter :disabled")) field.disabled = false;
});

follow(`${words.live}?query=${encodeURIComponent(location.search.slice(1))}`, {
  counts(told) {
    const numbers = inbox.querySelectorAll(".subnav b");
    for (const [turn, whose] of ["mine", "team", "unassigned", "all"].entries()) if (numbers[turn]) numbers[turn].textContent = told.inboxes[whose];
    for (const chip of inbox.querySelectorAll("[data-view]")) if (chip.dataset.view in told.views) chip.querySelector("b").textContent = told.views[chip.dataset.view];
  },
  cases(told) {
    const shown = new Set(rows().map((row) => Number(row.dataset.case)));
    for (const id of told.changed) if (shown.has(id) || told.opened.includes(id) || shown.size === 0) fresh.add(id);
    many ||= told.many;
    offer();
  },
  state(now) {
    state.dataset.state = now;
    state.textContent = { live: words.liveWord, waiting: words.waiting, ended: words.ended }[now];
  },
});
paint();
