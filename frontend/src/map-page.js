import { canDraw } from "./basemap.js";
import { Fleet } from "./fleet.js";
import { ring } from "./alarm-bell.js";
import { FleetMap } from "./fleet-map.js";
import { STATES } from "./frames.js";
import { Names } from "./names.js";
import { resizable } from "./splitter.js";
import { follow } from "./stream.js";
import { badge, showLink, word } from "./words.js";

const find = (id) => document.getElementById(id);
const stage = find("stage");
const list = find("list");
const card = find("card");
const input = find("q");
const chips = find("chips");
const fleet = new Fleet();
let map = null;
let connected = false;
let shownAt = 0;

// --- the address is the state of the page -----------------------------------------------------------------------------

const query = () => new URLSearchParams(location.search);

/** Change the address and show what it says. */
function go(changes, { push = false } = {}) {
  const next = query();
  next.delete("page");
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  const text = next.toString();
  history[push ? "pushState" : "replaceState"](null, "", text ? `?${text}` : location.pathname);
  load();
}

let loading = null;
async function load({ quiet = false } = {}) {
  markChips();
  loading?.abort();
  const mine = (loading = new AbortController());
  if (!quiet) list.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(location.pathname + location.search, { headers: { "HX-Request": "true" }, signal: mine.signal });
    if (!response.ok || response.redirected) throw new Error(`status ${response.status}`);
    list.innerHTML = await response.text();
    shownAt = performance.now();
    refilter();
    paintRows();
  } catch (problem) {
    if (problem.name === "AbortError") return;
    if (!quiet) {
      const note = document.createElement("p");
      note.className = "notice notice-error live-note";
      note.textContent = word("failed");
      list.replaceChildren(note);
    }
  } finally {
    if (loading === mine) list.removeAttribute("aria-busy");
  }
}

function markChips() {
  const state = query().get("state") ?? "";
  for (const chip of chips.querySelectorAll(".chip")) {
    if (chip.dataset.state === state) chip.setAttribute("aria-current", "true");
    else chip.removeAttribute("aria-current");
  }
}

/** Let the map show what the filters say: the state at once, the search by the vehicles the server found. */
function refilter() {
  if (!map) return;
  const wanted = STATES.indexOf(query().get("state") ?? "");
  const found = list.querySelector("[data-matches]")?.dataset.matches;
  const matches = found === undefined ? null : new Set(found.split(",").filter(Boolean).map(Number));
  map.filter((slot) => (wanted < 1 || fleet.state[slot] === wanted) && (matches === null || matches.has(fleet.asset[slot])));
}

chips.addEventListener("click", (event) => {
  const chip = event.target.closest(".chip");
  if (!chip || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go({ state: chip.dataset.state }, { push: true });
});

list.addEventListener("click", (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  const turn = event.target.closest(".pagination a");
  if (turn) {
    event.preventDefault();
    history.pushState(null, "", turn.getAttribute("href"));
    load().then(() => find("side").scrollTo(0, 0));
    return;
  }
  const row = event.target.closest(".row");
  if (row && map) {
    event.preventDefault();
    choose(Number(row.dataset.asset), row.dataset.plate);
  }
});

// --- search: a word is asked for when it is finished, never its half-typed letters --------------------------------------

let composing = false;
let pause = 0;
const search = () => {
  clearTimeout(pause);
  pause = setTimeout(() => go({ q: input.value.trim() }), 250);
};
input.addEventListener("compositionstart", () => (composing = true));
input.addEventListener("compositionend", () => {
  composing = false;
  search();
});
input.addEventListener("input", (event) => {
  if (!composing && !event.isComposing) search();
});
find("search").addEventListener("submit", (event) => {
  event.preventDefault();
  if (composing) return;
  clearTimeout(pause);
  go({ q: input.value.trim() }, { push: true });
});
addEventListener("popstate", () => {
  input.value = query().get("q") ?? "";
  load();
});

// --- one chosen vehicle ----------------------------------------------------------------------------------------------

async function choose(asset, name = "") {
  for (const row of list.querySelectorAll(".row")) row.classList.toggle("row-chosen", Number(row.dataset.asset) === asset);
  group = null;
  if (asset === null) {
    card.hidden = true;
    map?.choose(null);
    return;
  }
  map?.choose(asset, name, { move: Boolean(name) });
  const response = await fetch(find("fleet").dataset.card.replace("/0/", `/${asset}/`), { headers: { "HX-Request": "true" } });
  if (!response.ok || response.redirected || map?.chosen !== asset) return;
  card.innerHTML = await response.text();
  card.hidden = false;
  const plate = card.querySelector(".plate")?.textContent.trim();
  if (plate && !name) map.choose(asset, plate, { move: false });
}

card.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) choose(null);
  if (event.target.closest("[data-nearer]") && group) {
    map.near(group.place);
    choose(null);
  }
  const member = event.target.closest("[data-member]");
  if (member) choose(Number(member.dataset.member), map.names.get(Number(member.dataset.member)));
});

// --- who is in a cluster -----------------------------------------------------------------------------------------------

let group = null;

/** List the vehicles of a cluster in the card, each a button that leads to it. */
function showGroup(assets, place) {
  choose(null);
  group = { assets, place };
  card.replaceChildren(find("group-card").content.cloneNode(true));
  card.querySelector(".count").textContent = numbers.format(assets.length);
  card.hidden = false;
  paintGroup();
}

function paintGroup() {
  const rows = card.querySelector(".group-rows");
  if (!rows || !group) return;
  rows.replaceChildren(
    ...group.assets.map((asset) => {
      const row = document.createElement("li");
      const button = document.createElement("button");
      const slot = fleet.slots.get(asset);
      button.type = "button";
      button.dataset.member = String(asset);
      button.append(map.names.get(asset) || "…", badge(STATES[slot === undefined ? 0 : fleet.state[slot]]));
      row.append(button);
      return row;
    }),
  );
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !card.hidden && !event.isComposing) choose(null);
});

// --- what the stream says ----------------------------------------------------------------------------------------------

const numbers = new Intl.NumberFormat(document.documentElement.lang);

function paintCounts() {
  const counts = fleet.counts();
  for (const cell of chips.querySelectorAll("[data-count]")) {
    const state = cell.dataset.count;
    const count = state ? counts[STATES.indexOf(state)] + (state === "offline" ? counts[0] : 0) : fleet.n;
    const text = numbers.format(count);
    if (cell.textContent !== text) cell.textContent = text;
  }
}

function paintSpeed(cell, slot) {
  const text = fleet.state[slot] === 0 ? "—" : `${fleet.speed[slot]}`;
  const number = cell.querySelector(".num, .none");
  if (!number || number.textContent === text) return;
  cell.innerHTML = '<span class="num"></span><span class="unit"> km/h</span>';
  cell.querySelector(".num").textContent = text;
}

function paintRows() {
  if (!fleet.n) return;
  for (const row of list.querySelectorAll(".row")) {
    const slot = fleet.slots.get(Number(row.dataset.asset));
    if (slot === undefined) continue;
    const state = STATES[fleet.state[slot]];
    const holder = row.querySelector(".row-state");
    if (!holder.querySelector(`.badge-${state}`)) holder.replaceChildren(badge(state));
    paintSpeed(row.querySelector(".row-speed"), slot);
  }
  const live = card.querySelector("[data-live-speed]");
  const chosen = map && map.chosen !== null ? fleet.slots.get(map.chosen) : undefined;
  if (live && chosen !== undefined) paintSpeed(live, chosen);
}

let generation = 0;
function paint() {
  paintCounts();
  paintRows();
  if (map) {
    if (generation !== fleet.generation) refilter();
    map.update();
  }
  generation = fleet.generation;
  // Who is in the list changes more slowly than what the rows say.
  if (performance.now() - shownAt > 15000 && !document.hidden && !list.contains(document.activeElement)) {
    shownAt = performance.now();
    load({ quiet: true });
  }
}

let queued = false;
const stream = follow(find("fleet").dataset.live, {
  onState(state, seconds) {
    connected = state === "live";
    showLink(find("link-state"), state, seconds);
  },
  onMessage(message) {
    if (!fleet.apply(message)) stream.again();
    if (queued) return;
    queued = true;
    // A hidden page has no animation frames; its numbers still go on.
    (document.hidden ? setTimeout : requestAnimationFrame)(() => {
      queued = false;
      paint();
    });
  },
});

// --- the map itself ------------------------------------------------------------------------------------------------------

if (canDraw()) {
  stage.hidden = false;
  find("splitter").hidden = false;
  const names = new Names(find("fleet").dataset.names, () => {
    map.label();
    map.map.triggerRepaint();
    paintGroup();
  });
  map = new FleetMap(find("fleet"), fleet, { names, onChoose: (asset) => choose(asset), onGroup: showGroup });
  if (innerWidth <= 820) find("legend").open = false;
  resizable(find("splitter"), find("side"), () => map.map.resize());
  refilter();
} else {
  find("no-map").hidden = false;
  document.querySelector(".live").classList.add("live-list-only");
}

// --- alarms ---------------------------------------------------------------------------------------------------------------

const waiting = find("waiting");
ring(find("bell"), {
  onNews(news) {
    waiting.hidden = news.waiting === 0;
    waiting.querySelector("b").textContent = numbers.format(news.waiting);
    if (news.fresh) waiting.title = news.text;
    waiting.classList.toggle("alarm-waiting-fresh", news.fresh > 0);
  },
});

/** What a measurement from outside may look at: the map, the fleet and whether the stream is up. */
window.jilinkMap = { fleet, get map() { return map; }, get connected() { return connected; } };
