// What is typed into `textarea[data-draft="case:12:note"]` is kept on the server until its form is sent, and is there again on coming back.
const WAIT_MS = 800;

function keep(field) {
  const place = field.dataset.draft;
  const url = field.dataset.draftUrl || "/console/drafts";
  let timer = 0;
  let kept = field.value;

  const body = (text) => new URLSearchParams({ place, text, csrfmiddlewaretoken: document.body.dataset.csrf ?? "" });

  async function save() {
    clearTimeout(timer);
    timer = 0;
    const text = field.value;
    if (text === kept) return;
    field.dataset.draftState = "saving";
    try {
      const response = await fetch(url, { method: "POST", body: body(text) });
      if (!response.ok || response.redirected) throw new Error(String(response.status));
      kept = text;
      field.dataset.draftState = "kept";
    } catch {
      field.dataset.draftState = "failed";
      timer = setTimeout(save, 5 * WAIT_MS);
    }
  }

  async function restore() {
    if (field.value) return;
    try {
      const response = await fetch(`${url}?place=${encodeURIComponent(place)}`, { headers: { Accept: "application/json" } });
      const { text } = await response.json();
      if (text && !field.value) {
        field.value = kept = text;
        field.dataset.draftState = "restored";
        field.dispatchEvent(new Event("jl:restored", { bubbles: true }));
      }
    } catch {
      // nothing to restore, or no connection: the field stays as it is
    }
  }

  field.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (!event.isComposing) timer = setTimeout(save, WAIT_MS);
  });
  field.addEventListener("blur", save);
  // The server forgets the draft where the words are sent; a page that is left with unsaved words still says them.
  addEventListener("pagehide", () => field.value !== kept && !field.form?.dataset.sent && navigator.sendBeacon(url, body(field.value)));
  field.form?.addEventListener("submit", () => {
    clearTimeout(timer);
    field.form.dataset.sent = "1";
  });
  restore();
}

for (const field of document.querySelectorAll("[data-draft]")) keep(field);
