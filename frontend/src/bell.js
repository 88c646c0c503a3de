// How much waits for the viewer. A page with an event stream hears it at once (`jl:notices`); any other asks while it is looked at.
const EVERY_MS = 30000;
const bell = document.querySelector("[data-bell]");
let heard = 0;

function show({ unread }) {
  const count = bell.querySelector(".bell-count");
  count.hidden = unread === 0;
  if (count.textContent !== String(unread)) count.textContent = unread;
}

async function ask() {
  try {
    if (!document.hidden && Date.now() - heard > EVERY_MS * 2) {
      const response = await fetch(bell.dataset.bell, { cache: "no-store" });
      if (response.ok && !response.redirected) show(await response.json());
    }
  } catch {
    // no connection: asked again soon
  }
  setTimeout(ask, EVERY_MS);
}

if (bell) {
  document.addEventListener("jl:notices", (event) => {
    heard = Date.now();
    show(event.detail);
  });
  document.addEventListener("jl:alive", () => {
    heard = Date.now();
  });
  setTimeout(ask, EVERY_MS);
}
