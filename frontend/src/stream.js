import { MessageSplitter } from "./frames.js";

const SILENCE_MS = 25000; // the server speaks at least every 10 s
const LONGEST_WAIT_MS = 30000;

/**
 * Follow a live stream for ever: `onMessage(Uint8Array)` for each message, `onState(state, seconds)` with
 * "connecting", "live", "waiting" (the seconds until the next attempt) or "ended" (signed out). Returns
 * { stop(), again() }; `again` drops the connection and begins with a fresh snapshot.
 */
export function follow(url, { onMessage, onState, random = Math.random }) {
  let stopped = false;
  let failures = 0;
  let abort = null;
  let timer = 0;

  async function read() {
    abort = new AbortController();
    onState("connecting");
    let watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
    try {
      const response = await fetch(url, { signal: abort.signal, headers: { Accept: "application/octet-stream" }, cache: "no-store" });
      const kind = response.headers.get("content-type") ?? "";
      if (response.status === 401 || response.status === 403 || (response.redirected && kind.startsWith("text/html"))) {
        stopped = true;
        onState("ended");
        return;
      }
      if (!response.ok || !kind.startsWith("application/octet-stream")) throw new Error(`status ${response.status}`);
      const splitter = new MessageSplitter();
      const reader = response.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
        for (const message of splitter.push(value)) {
          failures = 0;
          onState("live");
          if (message.length) onMessage(message);
        }
      }
    } finally {
      clearTimeout(watchdog);
      abort.abort();
    }
  }

  async function run() {
    try {
      await read();
    } catch (problem) {
      if (problem.name !== "AbortError" && !(problem instanceof TypeError)) console.warn("live stream:", problem.message);
    }
    if (stopped) return;
    failures += 1;
    const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** Math.min(failures, 6)) * (0.75 + random() / 2);
    onState("waiting", Math.ceil(wait / 1000));
    timer = setTimeout(run, wait);
  }

  function again() {
    if (stopped) return;
    failures = 0;
    clearTimeout(timer);
    if (abort && !abort.signal.aborted) abort.abort();
    else run();
  }

  addEventListener("online", again);
  run();
  return {
    again,
    stop() {
      stopped = true;
      removeEventListener("online", again);
      clearTimeout(timer);
      abort?.abort();
    },
  };
}
