import "./desk.css";
import { openPhone, ring } from "./phone.js";
import { follow } from "./stream.js";

const desk = document.getElementById("desk");
const words = desk.dataset;
const panel = document.getElementById("desk-phone");
const KEEP = "jilink-desk-";
const TONES = { connected: "moving", connecting: "idle", again: "idle", closed: "offline", taken: "alarm", refused: "alarm", microphone: "alarm" };
let phone = null;
let silence = null;

// What changes is asked for anew and put in where it differs, so that nobody is disturbed in what they type.

async function refresh() {
  document.dispatchEvent(new CustomEvent("desk:news"));
  const response = await fetch(location.pathname, { headers: { "X-Part": "desk" }, cache: "no-store" });
  if (response.redirected) location.reload(); // signed out
  else if (response.ok) show(await response.text());
}

function show(text) {
  const fresh = document.createElement("template");
  fresh.innerHTML = text;
  for (const said of fresh.content.querySelectorAll("[data-say]"))
    document.body.dispatchEvent(new CustomEvent("jl:say", { detail: { text: said.textContent, level: said.dataset.say } }));
  const state = document.getElementById("desk-state");
  const next = fresh.content.getElementById("desk-state");
  if (next && next.dataset.key !== state.dataset.key) state.replaceWith(next);
  const cards = document.getElementById("desk-cards");
  const known = new Map([...cards.children].map((card) => [card.dataset.key, card]));
  const wanted = [...(fresh.content.getElementById("desk-cards")?.children ?? [])];
  const before = contacts();
  cards.replaceChildren(...wanted.map((card) => known.get(card.dataset.key) ?? card));
  tell(before, contacts());
  restore();
  tick();
}

function contacts() {
  return new Map([...document.querySelectorAll("[data-contact]")].map((card) => [card.dataset.contact, card.dataset.state]));
}

function tell(before, after) {
  for (const [contact, state] of after) if (before.get(contact) !== state && words[state]) announce(words[state]);
  for (const [contact, state] of before) if (state === "talking" && after.get(contact) !== "talking") announce(words.ended);
  for (const contact of before.keys()) if (!after.has(contact)) sessionStorage.removeItem(KEEP + contact);
}

function announce(text) {
  const place = document.getElementById("desk-said");
  place.textContent = "";
  requestAnimationFrame(() => (place.textContent = text));
}

// Forms go without leaving the page: a call in this browser would end with it.

desk.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  event.preventDefault();
  await post(form, event.submitter);
});

async function post(form, submitter) {
  const response = await fetch(submitter?.hasAttribute("formaction") ? submitter.formAction : form.action, { method: "POST", body: new FormData(form, submitter), headers: { "X-Part": "desk" } }).catch(() => null);
  if (response?.ok) show(await response.text());
  else document.body.dispatchEvent(new CustomEvent("jl:say", { detail: { text: words.failed, level: "error" } }));
}

// Alt and a letter, as each button says of itself.

document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || !/^Key[A-Z]$/.test(event.code)) return;
  const found = [...desk.querySelectorAll(`[aria-keyshortcuts="Alt+${event.code.slice(3)}"]`)].find((each) => each.checkVisibility());
  if (!found) return;
  event.preventDefault();
  found.click();
  if (found.tagName === "SUMMARY") found.parentElement.querySelector("select").focus();
});

// What is typed about a contact outlives a reload.

desk.addEventListener("input", (event) => {
  const form = event.target.closest("[data-keep]");
  if (form) sessionStorage.setItem(KEEP + form.dataset.keep, JSON.stringify(typed(form)));
});

function typed(form) {
  return Object.fromEntries(["code", "case", "note"].filter((name) => form.elements[name]).map((name) => [name, form.elements[name].value]));
}

function restore() {
  for (const form of document.querySelectorAll("[data-keep]")) {
    const kept = JSON.parse(sessionStorage.getItem(KEEP + form.dataset.keep) ?? "{}");
    for (const [name, value] of Object.entries(kept)) if (form.elements[name] && form.elements[name] !== document.activeElement) form.elements[name].value = value;
  }
}

// Timers count on; a wrap-up whose time is over is sent as it is.

function tick() {
  const now = Date.now();
  for (const timer of document.querySelectorAll(".desk-timer")) {
    const { since, until } = timer.dataset;
    const seconds = Math.max(0, Math.round((since ? now - Date.parse(since) : Date.parse(until) - now) / 1000));
    const hours = Math.floor(seconds / 3600);
    const rest = `${String(Math.floor(seconds / 60) % 60).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
    timer.textContent = hours ? `${hours}:${rest}` : rest;
    const form = until && seconds <= 1 ? timer.closest("[data-contact]")?.querySelector("[data-keep]:not([data-sent])") : null;
    if (form && typed(form).note) {
      form.dataset.sent = "1";
      post(form);
    }
  }
}

// The phone in the browser.

function phoneState(word) {
  const badge = document.getElementById("phone-state");
  badge.className = `badge badge-${TONES[word] ?? "alarm"}`;
  badge.textContent = words[word];
  badge.dataset.state = word;
  const open = ["connected", "connecting", "again"].includes(word);
  document.getElementById("phone-connect").hidden = open;
  if (!open) calls("none");
}

function calls(now) {
  document.getElementById("phone-rings").hidden = now !== "rings";
  document.getElementById("phone-talks").hidden = now !== "talks";
  if (now === "rings") silence ??= ring();
  else {
    silence?.();
    silence = null;
  }
  if (now !== "talks") pressed("mute", false);
}

function pressed(name, on) {
  panel.querySelector(`[data-phone=${name}]`).setAttribute("aria-pressed", on);
}

async function connect() {
  phone?.close();
  phone = null;
  if (!navigator.mediaDevices) return phoneState("insecure");
  phoneState("connecting");
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    for (const track of stream.getTracks()) track.stop();
  } catch {
    return phoneState("microphone");
  }
  const headers = { "X-CSRFToken": document.body.dataset.csrf };
  const response = await fetch(words.open, { method: "POST", headers }).catch(() => null);
  if (!response?.ok) return phoneState("refused");
  phone = openPhone(await response.json(), document.getElementById("phone-sound"), {
    state: phoneState,
    expected: (contact) => contacts().get(contact) === "talking",
    rings() {
      calls("rings");
      announce(words.ringing);
      panel.querySelector("[data-phone=answer]").focus();
      refresh();
    },
    talks() {
      calls("talks");
      announce(words.talking);
    },
    over: () => calls("none"),
  });
}

const deeds = {
  connect,
  answer: () => phone?.answer(),
  reject: () => phone?.end(),
  end: () => phone?.end(),
  mute(button) {
    const off = button.getAttribute("aria-pressed") !== "true";
    phone?.mute(off);
    pressed("mute", off);
    announce(off ? words.muted : words.unmuted);
  },
  keypad(button) {
    const keys = document.getElementById("phone-keys");
    keys.hidden = !keys.hidden;
    button.setAttribute("aria-expanded", String(!keys.hidden));
  },
};

async function begin() {
  panel.hidden = false;
  panel.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.key) phone?.press(button.dataset.key);
    else if (button?.dataset.phone) deeds[button.dataset.phone](button);
  });
  const at = document.getElementById("desk-state").dataset;
  const allowed = await navigator.permissions?.query({ name: "microphone" }).catch(() => null);
  if (at.browser && at.state !== "off" && allowed?.state === "granted") connect(); // after a reload
}

// The browser can be chosen as the phone only where a script can open it; choosing it connects it.
function offer() {
  const option = document.querySelector("[data-browser-phone][disabled]");
  if (!option) return;
  option.hidden = option.disabled = false;
  const chosen = [...option.parentElement.options].find((each) => each.defaultSelected) ?? option;
  option.parentElement.value = chosen.value;
}

new MutationObserver(offer).observe(desk, { childList: true });
if (panel) begin();
offer();
restore();
tick();
setInterval(tick, 500);
follow(words.live, refresh);
