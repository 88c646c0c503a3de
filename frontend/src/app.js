import "./app.css";
import "./bell.js";
import "./controls.js";
import "./finder.js";
import "./shell.js";
import "./shortcuts.js";
import htmx from "htmx.org";

// The Content-Security-Policy forbids inline styles and evaluated code: htmx is told to need neither.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.historyCacheSize = 0;
document.body.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = document.body.dataset.csrf ?? "";
});

document.querySelector("[data-focus]")?.focus();

// An open menu closes on Escape and on a click elsewhere.
document.addEventListener("keydown", (event) => {
  const open = document.querySelector("details.menu[open]");
  if (event.key === "Escape" && open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// Dialogs open above the page; without this script the same links show them by their address.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  const closer = event.target.closest("[data-close-dialog]");
  if (opener) {
    event.preventDefault();
    document.querySelector(opener.getAttribute("href")).showModal();
  } else if (closer?.closest("dialog")?.open) {
    event.preventDefault();
    closer.closest("dialog").close();
  } else if (event.target instanceof HTMLDialogElement) {
    event.target.close();
  }
});

// A success goes by itself once it could be read, unless somebody is on it; everything else stays until it is dismissed.
const READABLE_MS = 8000;
function passes(toast) {
  if (!toast.matches(".toast-success")) return;
  const wait = () =>
    setTimeout(() => (toast.matches(":hover, :focus-within") ? wait() : toast.remove()), toast.querySelector("form") ? READABLE_MS + 2000 : READABLE_MS);
  wait();
}
const toasts = document.getElementById("toasts");
function say({ text, level }) {
  const toast = document.getElementById("toast").content.firstElementChild.cloneNode(true);
  toast.className = `toast toast-${level}`;
  toast.querySelector("p").textContent = text;
  toasts.append(toast);
  passes(toast);
}
for (const toast of document.querySelectorAll(".toast")) {
  toasts.append(toast); // put in anew, so that screen readers say it
  passes(toast);
}
document.body.addEventListener("jl:say", (event) => say(event.detail));

// What refreshes by itself leaves people alone: not while they type in it, have something open in it, or mark its text.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const target = event.detail.target;
  if (!target.matches("[data-calm]")) return;
  const selection = document.getSelection();
  const marked = !selection.isCollapsed && target.contains(selection.anchorNode);
  const fields = [...target.querySelectorAll("input:not([type=hidden]), select, textarea")];
  const typing = fields.some((field) => field === document.activeElement || ("defaultValue" in field && field.value !== field.defaultValue));
  if (marked || typing || target.querySelector("details[open], dialog[open]")) event.detail.shouldSwap = false;
});

// What is shown once can be copied with one key; the clipboard needs https, so the text is marked first.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.querySelector(button.dataset.copy);
    field.select();
    if (navigator.clipboard) await navigator.clipboard.writeText(field.value);
    else document.execCommand("copy");
    say({ text: button.dataset.done, level: "success" });
  });
}
