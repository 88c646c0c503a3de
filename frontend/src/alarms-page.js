import { ring } from "./alarm-bell.js";
import { Selection } from "./selection.js";

const EVERY_MS = 20000;
const list = document.getElementById("alarms");
const words = document.getElementById("bell-words").dataset;
const title = document.title;
const selection = new Selection();
let known = ids();
let loadedAt = performance.now();
let loading = null;

const boxes = () => [...list.querySelectorAll(".tick input")];

function ids() {
  return new Set([...list.querySelectorAll("[data-alarm]")].map((row) => row.dataset.alarm));
}

function paint() {
  const all = document.getElementById("tick-all");
  const some = boxes();
  if (all) {
    all.hidden = some.length === 0;
    const state = selection.all(some);
    all.checked = state === true;
    all.indeterminate = state === null;
  }
  const count = selection.values.size;
  const told = document.getElementById("ticked");
  if (told) told.textContent = count ? words.selected.replace("{count}", count) : "";
  const button = list.querySelector(".tick-bar button");
  if (button) button.disabled = count === 0;
  for (const box of some) box.closest("tr").classList.toggle("row-ticked", box.checked);
}

/** Put what the server says in place of the list; what is ticked and where the person is stays. */
function replace(html) {
  const focused = list.contains(document.activeElement) ? document.activeElement.id : "";
  list.innerHTML = html;
  selection.after(boxes());
  for (const row of list.querySelectorAll("[data-alarm]")) row.classList.toggle("row-fresh", known.size > 0 && !known.has(row.dataset.alarm));
  known = ids();
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  paint();
}

async function load() {
  loading?.abort();
  const mine = (loading = new AbortController());
  loadedAt = performance.now();
  try {
    const response = await fetch(location.pathname + location.search, { headers: { "HX-Request": "true" }, signal: mine.signal });
    if (response.ok && !response.redirected) replace(await response.text());
  } catch {
    // no connection, or a newer question: the list stays as it is
  }
}

list.addEventListener("change", (event) => {
  if (event.target.id === "tick-all") {
    for (const box of boxes()) {
      box.checked = event.target.checked;
      selection.note(box);
    }
  } else if (event.target.closest(".tick")) selection.note(event.target);
  paint();
});
// A filter loads the list by itself: what was ticked and is still there stays ticked.
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== list) return;
  known = ids();
  selection.after(boxes());
  paint();
});

ring(document.getElementById("bell"), {
  onNews(news) {
    document.title = news.waiting ? `(${news.waiting}) ${title}` : title;
    if (news.fresh || performance.now() - loadedAt > EVERY_MS) load();
  },
});
selection.after(boxes());
paint();
