// Keys that act without a modifier: off while somebody types or composes, while a dialog is open, and where the person switched them off.
const KEY = "jilink.shortcuts";

export function switchedOn() {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

/** Whether the event belongs to whoever types: in a field, or half-way through a word of an input method (key code 229 in Safari). */
export function typing(event) {
  const target = event.target instanceof Element ? event.target : null;
  return event.isComposing || event.keyCode === 229 || Boolean(target?.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]"));
}

/** Call `act(event)` for a single key, where single keys may act at all. */
export function onKey(keys, act) {
  document.addEventListener("keydown", (event) => {
    if (!keys.includes(event.key) || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (typing(event) || document.querySelector("dialog[open]") || !switchedOn()) return;
    act(event);
  });
}

// What was just done is taken back without going to its button: ten seconds are short for whoever has no mouse.
onKey(["u"], () => document.querySelector(".toast form button")?.click());

const sheet = document.getElementById("shortcuts");
if (sheet) {
  onKey(["?"], (event) => {
    event.preventDefault();
    sheet.showModal();
  });
  const box = document.getElementById("shortcuts-on");
  box.checked = switchedOn();
  box.addEventListener("change", () => {
    try {
      localStorage.setItem(KEY, box.checked ? "on" : "off");
    } catch {
      // a browser that keeps nothing: they stay on
    }
  });
}
