const SILENCE_MS = 30000; // the server speaks at least every 8 s
const AGAIN_MS = 5000;

/**
 * Follow the console's event stream: `on` maps names of events (counts, cases, presence) to handlers of their data, and "state" to
 * one of "live", "waiting" and "ended". The browser comes back by itself and says what it heard last; a stream that ends because
 * somebody signed out, or may see other things now, is asked for anew or is over. Returns a function that stops it.
 */
export function follow(address, on) {
  let source = null;
  let watchdog = 0;
  let timer = 0;
  let over = false;
  let heard = ""; // the id of the last message: a new stream has to say it, the browser does so only for one that it comes back to

  function quiet(event) {
    heard = event?.lastEventId || heard;
    clearTimeout(watchdog);
    watchdog = setTimeout(again, SILENCE_MS);
  }

  function again() {
    source?.close();
    if (over) return;
    on.state?.("waiting");
    clearTimeout(timer);
    timer = setTimeout(open, AGAIN_MS * (0.5 + Math.random()));
  }

  function open() {
    const from = new URL(address, location.href);
    if (heard) from.searchParams.set("since", heard);
    source = new EventSource(from);
    quiet();
    source.addEventListener("open", quiet);
    source.addEventListener("ready", (event) => {
      quiet(event);
      on.state?.("live");
    });
    source.addEventListener("here", (event) => {
      quiet(event);
      document.dispatchEvent(new Event("jl:alive"));
    });
    for (const name of ["counts", "cases", "presence"])
      source.addEventListener(name, (event) => {
        quiet(event);
        on[name]?.(JSON.parse(event.data));
      });
    source.addEventListener("notices", (event) => {
      quiet(event);
      document.dispatchEvent(new CustomEvent("jl:notices", { detail: JSON.parse(event.data) })); // the bell of the shell
    });
    source.addEventListener("end", (event) => {
      if (JSON.parse(event.data).why === "signed_out") stop("ended");
      else location.reload();
    });
    source.addEventListener("error", () => {
      if (over) return;
      on.state?.("waiting");
      if (source.readyState === EventSource.CLOSED) refused();
    });
  }

  // The browser gives up at an answer that is no stream: signed out, or a server that is just starting.
  async function refused() {
    try {
      const response = await fetch(address, { method: "HEAD", cache: "no-store" });
      if (response.status === 401 || response.status === 404) return stop("ended");
    } catch {
      // no connection
    }
    again();
  }

  function stop(state) {
    over = true;
    clearTimeout(watchdog);
    clearTimeout(timer);
    source?.close();
    if (state) on.state?.(state);
  }

  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && !over && open());
  open();
  return stop;
}
