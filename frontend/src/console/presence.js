import { follow } from "./live.js";

const HEARTBEAT_MS = 8000;
const EDIT_ENDS_MS = 60000; // an open field nobody types in is no editing

/** Say that this page is open on a case, and show who else is. The part `console/presence.html` marks the place. */
export function present(place) {
  const { url, live, sees, edits: editsWord } = place.dataset;
  const page = crypto.getRandomValues(new Uint32Array(4)).join("-").slice(0, 40);
  let typedAt = -Infinity;
  let told = null;

  const edits = () => performance.now() - typedAt < EDIT_ENDS_MS;

  function show(people) {
    place.hidden = people.length === 0;
    place.replaceChildren(
      ...people.map((person) => {
        const chip = document.createElement("span");
        chip.className = person.edits ? "present present-edits" : "present";
        const words = (person.edits ? editsWord : sees).replace("{name}", person.name);
        chip.textContent = words;
        return chip;
      }),
    );
  }

  const body = (values) => new URLSearchParams({ page, csrfmiddlewaretoken: document.body.dataset.csrf ?? "", ...values });

  async function beat() {
    told = edits();
    try {
      const response = await fetch(url, { method: "POST", body: body({ edits: told ? "1" : "0" }) });
      if (response.ok && !response.redirected) show((await response.json()).people);
    } catch {
      // no connection: the next heartbeat says it
    }
  }

  function typed(event) {
    if (!event.target.closest("textarea, input[type=text], select, [contenteditable]") || event.target.closest("[role=search], dialog")) return;
    typedAt = performance.now();
    if (!told) beat();
  }

  const timer = setInterval(beat, HEARTBEAT_MS);
  document.addEventListener("input", typed);
  addEventListener("pagehide", () => navigator.sendBeacon(url, body({ left: "1" })));
  addEventListener("pageshow", (event) => event.persisted && beat());
  const stop = follow(live, { presence: (told) => show(told.people), state: (state) => state === "ended" && (clearInterval(timer), show([])) });
  beat();
  return stop;
}

for (const place of document.querySelectorAll("[data-presence]")) present(place);
