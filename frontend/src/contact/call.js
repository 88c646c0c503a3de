import "./call.css";
import { openPhone } from "./phone.js";

const page = document.getElementById("call");
const words = page.dataset;
const number = document.getElementById("call-number");
const begin = document.getElementById("call-begin");
const end = document.getElementById("call-end");
const timer = document.getElementById("call-timer");
const TONES = { connected: "moving", rings: "idle", talks: "moving", connecting: "idle", again: "idle" };
let phone = null;
let wanted = "";
let talksSince = 0;

function state(word) {
  const badge = document.getElementById("call-state");
  badge.className = `badge badge-${TONES[word] ?? "offline"}`;
  badge.textContent = words[word] ?? word;
  badge.dataset.state = word;
  const inCall = ["calls", "rings", "talks"].includes(word);
  begin.hidden = inCall;
  end.hidden = !inCall;
  begin.disabled = word === "connecting";
  number.readOnly = inCall;
  if (word !== "talks") talksSince = 0;
}

async function open() {
  if (!navigator.mediaDevices) return state("insecure");
  state("connecting");
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    for (const track of stream.getTracks()) track.stop();
  } catch {
    return state("microphone");
  }
  const headers = { "X-CSRFToken": document.body.dataset.csrf };
  const response = await fetch(words.open, { method: "POST", headers }).catch(() => null);
  if (!response?.ok) return state("refused");
  phone = openPhone(await response.json(), document.getElementById("call-sound"), {
    state(word) {
      if (word === "connected" && wanted) dial();
      else state(word);
      if (["taken", "refused", "closed"].includes(word)) phone = null;
    },
    expected: () => false,
    rings: () => state("rings"),
    talks() {
      state("talks");
      talksSince = Date.now();
    },
    over: (why) => state(["Busy", "Unavailable", "Not Found", "Rejected", "Address Incomplete"].includes(why) ? "nobody" : "over"),
  });
}

function dial() {
  const to = wanted;
  wanted = "";
  state("calls");
  phone.call(to);
}

page.addEventListener("submit", (event) => {
  event.preventDefault();
  wanted = number.value.replace(/[\s()-]/g, "");
  if (!/^\+?[0-9*#]{2,24}$/.test(wanted)) return number.focus();
  if (phone) dial();
  else open();
});

page.addEventListener("click", (event) => {
  const key = event.target.closest("[data-key]")?.dataset.key;
  if (event.target.closest("#call-end")) phone?.end();
  else if (key && end.hidden) number.value += key;
  else if (key) phone?.press(key);
});

setInterval(() => {
  const seconds = talksSince ? Math.round((Date.now() - talksSince) / 1000) : 0;
  timer.textContent = talksSince ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : "";
}, 500);
window.addEventListener("pagehide", () => phone?.close());
begin.disabled = false;
