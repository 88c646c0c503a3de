import "./written.css";

// Conversations at the desk: what is new is put in, what is being typed stays.

const place = document.getElementById("desk-written");
const words = place.dataset;
const csrf = document.body.dataset.csrf;
let asked = 0;
let typedAt = 0;

async function refresh() {
  const mine = (asked += 1);
  const response = await fetch(words.address, { cache: "no-store" }).catch(() => null);
  if (response?.ok && mine === asked) show(await response.text());
}

function cards(root) {
  return new Map([...root.querySelectorAll("[data-talk]")].map((card) => [card.dataset.talk, card]));
}

function show(text) {
  const fresh = document.createElement("template");
  fresh.innerHTML = text;
  const before = cards(place);
  const after = cards(fresh.content);
  for (const [key, card] of before) if (!after.has(key)) card.remove();
  for (const [key, card] of after) {
    const known = before.get(key);
    if (!known) {
      place.append(card);
      announce(words.offered);
    } else if (known.dataset.key !== card.dataset.key) {
      keep(known, card);
      known.replaceWith(card);
    } else if (known.dataset.last !== card.dataset.last || lines(known) !== lines(card)) {
      if (Number(card.dataset.last) > Number(known.dataset.last)) announce(words.new);
      known.dataset.last = card.dataset.last;
      known.querySelector(".talk-lines")?.replaceWith(card.querySelector(".talk-lines"));
      known.querySelector(".talk-unread").replaceWith(card.querySelector(".talk-unread"));
      known.querySelector(".talk-typing")?.replaceChildren();
    }
  }
  prepare();
}

const lines = (card) => card.querySelector(".talk-lines")?.textContent;

function keep(from, to) {
  for (const name of ["words", "note", "code", "case"]) {
    const [old, next] = [from, to].map((card) => card.querySelector(`[name=${name}]`));
    if (old?.value && next) next.value = old.value;
  }
}

function prepare() {
  for (const list of place.querySelectorAll(".talk-lines")) list.scrollTop = list.scrollHeight;
  for (const select of place.querySelectorAll("[data-canned]")) select.hidden = false;
  for (const input of place.querySelectorAll(".talk-file input")) input.classList.add("visually-hidden");
  if (document.visibilityState === "visible") for (const card of place.querySelectorAll("[data-talk]")) seen(card);
}

function seen(card) {
  const last = Number(card.dataset.last);
  if (card.dataset.state !== "talking" || card.querySelector(".talk-unread").hidden || !card.contains(document.activeElement)) return;
  card.querySelector(".talk-unread").hidden = true;
  tell(card, "read", { upto: last });
}

function tell(card, deed, given) {
  const body = new FormData();
  for (const [name, value] of Object.entries(given)) body.append(name, value);
  return fetch(new URL(`${card.dataset.talk}/${deed}`, new URL(words.address, location.href)), { method: "POST", body, headers: { "X-CSRFToken": csrf } }).catch(() => null);
}

function announce(text) {
  const said = document.getElementById("desk-said");
  if (!said) return;
  said.textContent = "";
  requestAnimationFrame(() => (said.textContent = text));
}

function complain(text) {
  document.body.dispatchEvent(new CustomEvent("jl:say", { detail: { text, level: "error" } }));
}

place.addEventListener("submit", async (event) => {
  const form = event.target;
  event.preventDefault();
  event.stopPropagation(); // the desk around sends forms in its own way
  const saying = "send" in form.dataset;
  const body = new FormData(form, event.submitter);
  if (saying) {
    if (!body.get("words").trim() && !body.get("file")?.size) return;
    form.dataset.client ??= crypto.getRandomValues(new Uint32Array(4)).join("-"); // told again it is kept once
    body.set("client", form.dataset.client);
    if (!body.get("file")?.size) body.delete("file");
  }
  const response = await fetch(form.action, { method: "POST", body, headers: { "X-Part": "desk" } }).catch(() => null);
  if (!response?.ok) return complain(response?.status === 400 ? await response.text() : words.failed);
  const text = await response.text();
  if (saying) {
    delete form.dataset.client;
    form.reset();
    show(text);
  } else {
    const fresh = document.createElement("template");
    fresh.innerHTML = text;
    for (const said of fresh.content.querySelectorAll("[data-say]")) document.body.dispatchEvent(new CustomEvent("jl:say", { detail: { text: said.textContent, level: said.dataset.say } }));
    refresh();
  }
});

place.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.target.name !== "words") return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

place.addEventListener("input", (event) => {
  const card = event.target.closest("[data-talk]");
  if (event.target.name !== "words" || Date.now() - typedAt < 4000) return;
  typedAt = Date.now();
  tell(card, "typing", {});
});

place.addEventListener("change", (event) => {
  if (event.target.type === "file" && event.target.files[0]) event.target.form.requestSubmit();
  if (!("canned" in event.target.dataset) || !event.target.value) return;
  const into = event.target.form.elements.words;
  into.value = into.value ? `${into.value}\n${event.target.value}` : event.target.value;
  event.target.value = "";
  into.focus();
});

place.addEventListener("focusin", (event) => seen(event.target.closest("[data-talk]") ?? place.firstElementChild));

document.addEventListener("desk:typing", (event) => {
  const line = place.querySelector(`[data-conversation="${event.detail}"] .talk-typing`);
  if (!line) return;
  line.textContent = words.typing;
  setTimeout(() => (line.textContent = ""), 6000);
});
document.addEventListener("desk:news", refresh);
prepare();
