// Ctrl-K: one field over everything. The server finds; the keyboard alone chooses.
const palette = document.getElementById("palette");
const WAIT_MS = 120;

function begin() {
  const input = document.getElementById("palette-input");
  const list = document.getElementById("palette-list");
  const told = document.getElementById("palette-told");
  let asked = null;
  let timer = 0;
  let composing = false;

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");

  function choose(option) {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  function show(groups) {
    list.replaceChildren();
    let number = 0;
    for (const group of groups) {
      const part = document.createElement("div");
      part.setAttribute("role", "group");
      part.setAttribute("aria-label", group.title);
      const head = document.createElement("p");
      head.className = "palette-kind";
      head.setAttribute("aria-hidden", "true");
      head.textContent = group.title;
      part.append(head);
      for (const item of group.items) {
        const line = document.createElement("div");
        line.setAttribute("role", "option");
        line.setAttribute("aria-selected", "false");
        line.id = `palette-${number++}`;
        line.dataset.url = item.url;
        const title = document.createElement("span");
        title.textContent = item.title;
        line.append(title);
        if (item.note) {
          const note = document.createElement("small");
          note.textContent = item.note;
          line.append(note);
        }
        part.append(line);
      }
      list.append(part);
    }
    told.textContent = number ? palette.dataset.count.replace("{count}", number) : palette.dataset.nothing;
    if (number === 0) list.replaceChildren(Object.assign(document.createElement("p"), { className: "palette-none", textContent: palette.dataset.nothing }));
    choose(options()[0]);
  }

  async function ask() {
    asked?.abort();
    const mine = (asked = new AbortController());
    try {
      const address = `${palette.dataset.search}?q=${encodeURIComponent(input.value.trim())}`;
      const response = await fetch(address, { headers: { Accept: "application/json" }, signal: mine.signal });
      if (response.redirected || response.status === 401) location.reload();
      else if (response.ok) show((await response.json()).groups);
      else told.textContent = palette.dataset.failed;
    } catch (problem) {
      if (problem.name !== "AbortError") told.textContent = palette.dataset.failed;
    }
  }

  function open(text = "") {
    if (palette.open) return;
    for (const other of document.querySelectorAll("dialog[open]")) other.close();
    palette.showModal();
    input.value = text;
    input.select();
    ask();
  }

  function go(option, event) {
    if (!option) return;
    if (event.ctrlKey || event.metaKey) window.open(option.dataset.url, "_blank", "noopener");
    else location.assign(option.dataset.url);
  }

  input.addEventListener("compositionstart", () => (composing = true));
  input.addEventListener("compositionend", () => {
    composing = false;
    input.dispatchEvent(new Event("input"));
  });
  input.addEventListener("input", () => {
    clearTimeout(timer);
    if (!composing) timer = setTimeout(ask, WAIT_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const all = options();
    const at = all.indexOf(chosen());
    const steps = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length };
    if (event.key in steps && all.length) {
      event.preventDefault();
      choose(all[steps[event.key] % all.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      go(chosen(), event);
    }
  });
  list.addEventListener("click", (event) => go(event.target.closest("[role=option]"), event));
  list.addEventListener("pointermove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option !== chosen()) choose(option);
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k" && !event.isComposing) {
      event.preventDefault();
      open();
    }
  });
  document.querySelector("[data-palette]")?.addEventListener("click", (event) => {
    event.preventDefault();
    open();
  });
}

if (palette) begin();
