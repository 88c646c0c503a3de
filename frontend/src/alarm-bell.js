const EVERY_MS = 5000;
const ON = "jilink-alarm-sound";
const SOUNDED = "jilink-alarm-sounded"; // newest alarm that a window of this browser has sounded for

function kept(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // a private window: the choice lasts as long as the page
  }
}
function keep(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // as above
  }
}

/** Two falling tones, twice; nothing to fetch. */
class Chime {
  #context = null;

  /** Make ready. Browsers let a page sound only after the person has touched it. */
  open() {
    this.#context ??= new AudioContext();
    return this.#context.resume();
  }

  get allowed() {
    return this.#context?.state === "running";
  }

  play() {
    if (!this.allowed) return;
    const start = this.#context.currentTime + 0.02;
    for (const [after, pitch] of [[0, 988], [0.18, 740], [0.55, 988], [0.73, 740]]) {
      const tone = this.#context.createOscillator();
      const volume = this.#context.createGain();
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0, start + after);
      volume.gain.linearRampToValueAtTime(0.22, start + after + 0.015);
      volume.gain.exponentialRampToValueAtTime(0.001, start + after + 0.17);
      tone.connect(volume).connect(this.#context.destination);
      tone.start(start + after);
      tone.stop(start + after + 0.18);
    }
  }
}

/**
 * Ask for new alarms every few seconds: sound where the person has switched sound on, and tell `onNews(news)` each time
 * ({ newest, waiting, fresh, text }). `holder` has the button and `data-news`; the words are in the page.
 */
export function ring(holder, { onNews = () => {} } = {}) {
  const words = document.getElementById("bell-words").dataset;
  const button = holder.querySelector("button");
  const label = button.querySelector("span");
  const chime = new Chime();
  let on = kept(ON) === "1";
  let known = null;
  holder.hidden = false;

  function paint() {
    const blocked = on && !chime.allowed;
    button.setAttribute("aria-pressed", String(on));
    holder.dataset.sound = blocked ? "blocked" : on ? "on" : "off";
    label.textContent = blocked ? words.blocked : on ? words.on : words.off;
    button.title = label.textContent;
  }

  async function allow() {
    await chime.open().catch(() => {});
    paint();
  }

  button.addEventListener("click", async () => {
    on = !(on && chime.allowed);
    keep(ON, on ? "1" : "0");
    if (on) {
      await allow();
      chime.play(); // so that the person hears what it is, and how loud
    }
    paint();
  });
  addEventListener("storage", (event) => {
    if (event.key !== ON) return;
    on = event.newValue === "1";
    paint();
  });
  for (const touch of ["pointerdown", "keydown"]) {
    addEventListener(touch, (event) => {
      if (on && !chime.allowed && !holder.contains(event.target)) allow();
    });
  }

  async function ask() {
    try {
      const response = await fetch(known === null ? holder.dataset.news : `${holder.dataset.news}?after=${known}`, { cache: "no-store" });
      if (!response.ok || response.redirected) return;
      const news = await response.json();
      const first = known === null;
      known = Math.max(known ?? 0, news.newest);
      if (!first && news.fresh && on && Number(kept(SOUNDED) ?? 0) < news.newest) {
        keep(SOUNDED, String(news.newest)); // only one of several windows sounds
        chime.play();
      }
      onNews(first ? { ...news, fresh: 0 } : news);
    } catch {
      // no connection: the page says so elsewhere; asked again soon
    } finally {
      setTimeout(ask, EVERY_MS);
    }
  }

  paint();
  ask();
}
