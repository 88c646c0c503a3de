// Sends a file in pieces (tus 1.0.0) and goes on where it stood: after a broken connection by itself, after a reload when the same file is chosen again.
const PIECE = 4 << 20;
const PLACE = "/api/v1/imports";
const MOST_WAIT_MS = 30_000;

/** What a file is remembered by in this browser until it was sent whole. */
export function nameOf(file, fields) {
  return `import:${file.name}:${file.size}:${file.lastModified}:${fields}`;
}

/** Send a file to the place of its upload; `told` hears how many bytes are kept, and `null` while the connection is broken. */
export async function send(file, place, { ask, told, wait }) {
  let offset = await offsetOf(place, { ask, told, wait });
  let failures = 0;
  while (offset < file.size) {
    told(offset);
    try {
      const answer = await ask(place, {
        method: "PATCH",
        headers: { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" },
        body: file.slice(offset, offset + PIECE),
      });
      if (answer.status === 204) {
        offset = Number(answer.headers.get("Upload-Offset"));
        failures = 0;
        continue;
      }
      if (answer.status !== 409 && answer.status !== 429 && answer.status < 500) throw new Refused(await words(answer));
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
    told(null);
    await wait(Math.min(1000 * 2 ** failures++, MOST_WAIT_MS));
    offset = await offsetOf(place, { ask, told, wait });
  }
  told(file.size);
}

async function offsetOf(place, { ask, told, wait }) {
  for (let failures = 0; ; failures++) {
    try {
      const answer = await ask(place, { method: "HEAD" });
      if (answer.ok) return Number(answer.headers.get("Upload-Offset"));
      if (answer.status !== 429 && answer.status < 500) throw new Refused("");
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
    told(null);
    await wait(Math.min(1000 * 2 ** failures, MOST_WAIT_MS));
  }
}

export class Refused extends Error {}

async function words(answer) {
  const problem = await answer.json().catch(() => ({}));
  return [problem.detail, ...(problem.errors ?? []).map((fault) => fault.detail)].filter(Boolean).join(" ");
}

async function upload(form, bar) {
  const file = form.elements.file.files[0];
  const assets = form.elements.noun.value === "assets";
  const query = new URLSearchParams({
    noun: form.elements.noun.value,
    organisation: form.elements.organisation.value,
    dry_run: String(form.elements.dry_run.checked),
    name: file.name.slice(0, 120),
    ...(assets ? { kind: form.elements.kind.value } : {}),
  });
  const token = form.elements.csrfmiddlewaretoken.value;
  const ask = (place, { headers, ...rest }) =>
    fetch(place, { ...rest, headers: { "Tus-Resumable": "1.0.0", "X-CSRFToken": token, "Accept-Language": document.documentElement.lang, ...headers } });
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const name = nameOf(file, query.toString());
  const told = (kept) => bar.show(kept, file.size);
  const tools = { ask, told, wait };
  let place = localStorage.getItem(name);
  if (place && !(await ask(place, { method: "HEAD" }).catch(() => ({ ok: true }))).ok) place = null;
  if (!place) {
    const begun = await ask(`${PLACE}?${query}`, { method: "POST", headers: { "Upload-Length": String(file.size) } });
    if (begun.status !== 201) throw new Refused(await words(begun));
    place = begun.headers.get("Location");
    localStorage.setItem(name, place);
  }
  await send(file, place, tools);
  localStorage.removeItem(name);
  location.assign(form.dataset.page + place.split("/").at(-2) + "/");
}

function barOf(form) {
  const part = form.querySelector("[data-progress]");
  const [progress, text] = [part.querySelector("progress"), part.querySelector("span")];
  return {
    show(kept, size) {
      part.hidden = false;
      if (kept !== null) progress.value = (100 * kept) / size;
      text.textContent = kept === null ? form.dataset.again : `${form.dataset.sending} ${Math.floor((100 * kept) / size)}%`;
    },
    say(sentence) {
      part.hidden = false;
      text.textContent = sentence;
    },
  };
}

for (const form of globalThis.document?.querySelectorAll("form[data-imports]") ?? []) {
  form.addEventListener("submit", (event) => {
    if (!form.elements.file.files.length || !form.checkValidity()) return;
    event.preventDefault();
    const [bar, button] = [barOf(form), form.querySelector("button[type=submit]")];
    button.disabled = true;
    bar.show(0, 1);
    upload(form, bar)
      .catch((error) => bar.say(error.message))
      .finally(() => (button.disabled = false));
  });
}
