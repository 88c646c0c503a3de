const SILENCE_MS = 30000; // the server speaks at least every 8 s
const AGAIN_MS = 2000;

/** Call `news` whenever the stream at an address says so, and once after each time it was away. */
export function follow(address, news) {
  let source = null;
  let watchdog = 0;
  let begun = false;

  function heard() {
    clearTimeout(watchdog);
    watchdog = setTimeout(again, SILENCE_MS);
  }

  function again() {
    source?.close();
    setTimeout(open, AGAIN_MS * (0.5 + Math.random()));
  }

  function open() {
    source = new EventSource(address);
    heard();
    source.addEventListener("here", heard);
    source.addEventListener("ready", () => {
      heard();
      if (begun) news();
      begun = true;
    });
    source.addEventListener("news", () => {
      heard();
      news();
    });
    source.addEventListener("typing", (event) => document.dispatchEvent(new CustomEvent("desk:typing", { detail: event.data })));
    source.addEventListener("end", () => location.reload());
    source.addEventListener("error", () => source.readyState === EventSource.CLOSED && again());
  }

  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
}
