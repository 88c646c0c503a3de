import "./case.css";
import "./drafts.js";
import "./presence.js";

const find = (id) => document.getElementById(id);

// Maps are heavy: their code is loaded where a page has one, and one to look at only once it is about to be seen.
const shown = find("case-map");
const chosen = find("place-map");
if (shown) {
  const seen = new IntersectionObserver(
    ([entry]) => {
      if (!entry.isIntersecting) return;
      seen.disconnect();
      import("./case-map.js").then(({ showPlace }) => showPlace(shown));
    },
    { rootMargin: "300px" },
  );
  seen.observe(shown);
}
if (chosen) import("./case-map.js").then(({ choosePlace }) => choosePlace(chosen, find("where"), () => find("area").dispatchEvent(new CustomEvent("jl:placed"))));

// A choice may bring other questions: the form asks the server anew. What is typed and chosen until the answer comes stays, and asks again.
const CHOICES = "input[type=radio], input[type=checkbox], select";
const ask = () => find("questions").dispatchEvent(new CustomEvent("jl:asks"));
const fields = () => [...find("questions").querySelectorAll("input, select, textarea")];
const ticks = (field) => field.type === "radio" || field.type === "checkbox";
const key = (field) => (ticks(field) ? `${field.name}=${field.value}` : field.name);
let given = new Map();
document.addEventListener("change", (event) => event.target.closest("#questions") && event.target.matches(CHOICES) && ask());
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "questions") given = new Map(fields().map((field) => [key(field), ticks(field) ? field.checked : field.value]));
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "questions" && event.target.id !== "questions") return;
  let chosen = false;
  for (const field of fields()) {
    const now = given.get(key(field));
    if (now === undefined || now === (ticks(field) ? field.checked : field.value)) continue;
    if (ticks(field)) field.checked = now;
    else field.value = now;
    chosen ||= field.matches(CHOICES);
  }
  given = new Map();
  if (chosen) ask();
});

// Pictures open above the page.
const box = find("lightbox");
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-lightbox]");
  if (link && box && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    const picture = box.querySelector("img");
    picture.src = link.href;
    picture.alt = link.querySelector("img").alt;
    box.showModal();
  }
  const article = event.target.closest("[data-insert]");
  const reply = find("reply-text");
  if (article && reply) {
    event.preventDefault();
    reply.value = [reply.value.trimEnd(), article.dataset.insert].filter(Boolean).join("\n\n");
    reply.dispatchEvent(new Event("input", { bubbles: true }));
    reply.focus();
  }
});

// One form of "what may be done next" is open at a time, and its first field is ready to type in.
for (const deed of document.querySelectorAll("details.deed")) {
  deed.addEventListener("toggle", () => {
    if (!deed.open) return;
    for (const other of deed.parentElement.querySelectorAll("details.deed[open]")) if (other !== deed) other.open = false;
    if (!deed.querySelector(".error-summary")) deed.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  });
}
