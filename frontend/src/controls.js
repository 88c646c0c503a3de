// File and date controls in the language of the page: browsers draw their own in the language of the browser.
import { asTyped, PATTERNS } from "./typed.js";

const words = document.body.dataset;
const own = (text) => text.toLowerCase().split("-")[0];
const foreign = own(navigator.language) !== own(document.documentElement.lang);

/** A file control keeps its place, its name and its keys; what is drawn of it is ours, and lies under it. */
function dressFile(input) {
  const dress = document.createElement("span");
  dress.className = "file";
  const button = document.createElement("span");
  button.className = "button";
  button.textContent = input.multiple ? words.chooseFiles : words.chooseFile;
  const name = document.createElement("span");
  name.className = "file-name";
  for (const each of [button, name]) each.setAttribute("aria-hidden", "true");
  const show = () => {
    const files = [...input.files];
    name.textContent = files.length ? files.map((file) => file.name).join(", ") : words.noFile;
  };
  input.before(dress);
  dress.append(input, button, name);
  input.addEventListener("change", show);
  input.form?.addEventListener("reset", () => setTimeout(show));
  show();
}

/** A date is typed in the one order that both languages share, where the browser would ask for it in another language. */
function dressDate(input) {
  const kind = input.type;
  input.type = "text";
  input.defaultValue = input.defaultValue.replace("T", " ");
  input.value = asTyped(kind, input.value);
  input.placeholder = words[PATTERNS[kind]];
  input.autocomplete = "off";
  input.maxLength = 20;
  input.classList.add("typed-date");
  input.addEventListener("change", () => (input.value = asTyped(kind, input.value)), { capture: true });
}

export function dress(root) {
  for (const input of root.querySelectorAll("input[type=file]:not(.file > *)")) dressFile(input);
  if (foreign) for (const input of root.querySelectorAll("input[type=date], input[type=datetime-local], input[type=time]")) dressDate(input);
}

dress(document);
document.body.addEventListener("htmx:load", (event) => dress(event.detail.elt.parentElement ?? document));
