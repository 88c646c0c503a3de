// Fields that act while somebody types say `typed` once they pause: never in the middle of a word that an input method composes.
const PAUSE_MS = 350;
const timers = new WeakMap();

function typed(field) {
  clearTimeout(timers.get(field));
  timers.set(field, setTimeout(() => field.dispatchEvent(new CustomEvent("typed", { bubbles: true })), PAUSE_MS));
}

document.addEventListener("input", (event) => {
  if (event.target.matches?.("[data-typed]") && !event.isComposing) typed(event.target);
});
document.addEventListener("compositionend", (event) => {
  if (event.target.matches?.("[data-typed]")) typed(event.target);
});
document.addEventListener("compositionstart", (event) => clearTimeout(timers.get(event.target)));
