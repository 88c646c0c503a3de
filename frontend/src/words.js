// The page brings its own words, in the viewer's language: a JSON block with the id "map-strings".
const words = JSON.parse(document.getElementById("map-strings")?.textContent ?? "{}");

/** Return a word by its key; {names} are filled in from `values`. */
export function word(key, values = {}) {
  const text = key.split(".").reduce((at, part) => at?.[part], words) ?? "";
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Show the state of a live connection in `element`. */
export function showLink(element, state, seconds) {
  element.dataset.state = state;
  element.textContent = word(state, { seconds });
}

/** A state as its badge: mark and word. */
export function badge(state) {
  const span = document.createElement("span");
  span.className = `badge badge-${state}`;
  const mark = document.createElement("span");
  mark.className = "mark";
  mark.setAttribute("aria-hidden", "true");
  span.append(mark, word(`states.${state}`));
  return span;
}
