// The player of a recording: both sides drawn from peaks, seekable by pointer and keys, speed, silence skipped, marks.
import "./player.css";

const QUIET = 14; // of 255, square root of the amplitude
const SKIP_S = 1.5;

function bytes(hex) {
  const found = new Uint8Array(hex.length / 2);
  for (let i = 0; i < found.length; i += 1) found[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return found;
}

function clock(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

class Player {
  constructor(box) {
    this.box = box;
    this.wave = box.querySelector("[data-wave]");
    this.sound = box.querySelector("audio");
    if (!this.wave || !this.sound) return;
    this.canvas = this.wave.querySelector("canvas");
    this.peaks = bytes(box.dataset.peaks);
    this.seconds = Number(box.dataset.seconds);
    this.skip = box.querySelector("[data-skip]");
    this.wave.hidden = false;
    Object.entries({ role: "slider", tabindex: "0", "aria-label": box.dataset.at, "aria-valuemin": "0", "aria-valuemax": String(Math.round(this.seconds)) }).forEach(([name, value]) => this.wave.setAttribute(name, value));
    new ResizeObserver(() => this.draw()).observe(this.wave);
    this.wave.addEventListener("pointerdown", (event) => this.seek((event.offsetX / this.wave.clientWidth) * this.seconds));
    this.wave.addEventListener("keydown", (event) => this.key(event));
    this.sound.addEventListener("timeupdate", () => this.moved());
    this.sound.addEventListener("error", () => this.sound.src && this.fail());
    box.querySelector("[data-speed]").addEventListener("change", (event) => { this.sound.playbackRate = Number(event.target.value); });
    box.querySelectorAll("[data-mark]").forEach((mark) => mark.addEventListener("click", () => this.seek(Number(mark.dataset.mark))));
    box.querySelector("[data-opens]")?.addEventListener("submit", (event) => this.open(event));
    if (this.sound.getAttribute("src")) this.ready();
    this.moved();
  }

  async open(event) {
    event.preventDefault();
    const form = event.target;
    form.querySelector("button").disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      this.sound.src = (await answer.json()).source;
      form.hidden = true;
      this.sound.hidden = false;
      this.ready();
      await this.sound.play();
      this.sound.focus();
    } catch {
      form.querySelector("button").disabled = false;
      this.fail();
    }
  }

  fail() {
    let said = this.box.querySelector("[role=alert]");
    if (!said) {
      said = document.createElement("p");
      said.setAttribute("role", "alert");
      said.className = "notice notice-error";
      this.sound.after(said);
    }
    said.textContent = this.box.dataset.failed;
  }

  ready() {
    this.box.querySelector("[data-tools]").hidden = false;
    this.box.querySelectorAll("[data-mark]").forEach((mark) => { mark.disabled = false; });
  }

  seek(seconds) {
    if (!this.sound.getAttribute("src")) return;
    this.sound.currentTime = Math.max(0, Math.min(this.seconds, seconds));
    this.moved();
  }

  key(event) {
    const at = this.sound.currentTime;
    const to = { ArrowLeft: at - 5, ArrowRight: at + 5, PageUp: at + 30, PageDown: at - 30, Home: 0, End: this.seconds }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.seek(to);
    } else if (event.key === " " && this.sound.getAttribute("src")) {
      event.preventDefault();
      if (this.sound.paused) this.sound.play(); else this.sound.pause();
    }
  }

  quietUntil(seconds) {
    const count = this.peaks.length / 2;
    let place = Math.floor((seconds / this.seconds) * count);
    while (place < count && this.peaks[2 * place] < QUIET && this.peaks[2 * place + 1] < QUIET) place += 1;
    return (place / count) * this.seconds;
  }

  moved() {
    const at = this.sound.currentTime || 0;
    if (this.skip?.checked && !this.sound.paused) {
      const loud = this.quietUntil(at);
      if (loud - at > SKIP_S) this.sound.currentTime = Math.max(at, loud - 0.2);
    }
    this.wave.setAttribute("aria-valuenow", String(Math.round(at)));
    this.wave.setAttribute("aria-valuetext", `${clock(at)} / ${clock(this.seconds)}`);
    this.draw();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.wave;
    const scale = window.devicePixelRatio || 1;
    const count = this.peaks.length / 2;
    const style = getComputedStyle(this.wave);
    this.canvas.width = width * scale;
    this.canvas.height = height * scale;
    const pen = this.canvas.getContext("2d");
    pen.scale(scale, scale);
    const middle = height / 2;
    const played = ((this.sound.currentTime || 0) / this.seconds) * width;
    for (let x = 0; x < width; x += 2) {
      const first = Math.floor((x / width) * count);
      const last = Math.max(first + 1, Math.floor(((x + 2) / width) * count));
      let above = 0;
      let below = 0;
      for (let place = first; place < last && place < count; place += 1) {
        above = Math.max(above, this.peaks[2 * place]);
        below = Math.max(below, this.peaks[2 * place + 1]);
      }
      pen.globalAlpha = x <= played ? 1 : 0.45;
      pen.fillStyle = style.getPropertyValue("--player-caller");
      pen.fillRect(x, middle - 1 - (above / 255) * (middle - 2), 1.5, (above / 255) * (middle - 2) + 0.5);
      pen.fillStyle = style.getPropertyValue("--player-agent");
      pen.fillRect(x, middle + 1, 1.5, (below / 255) * (middle - 2) + 0.5);
    }
    pen.globalAlpha = 1;
    pen.fillStyle = style.color;
    this.box.querySelectorAll("[data-mark]").forEach((mark) => pen.fillRect((Number(mark.dataset.mark) / this.seconds) * width, 0, 1, height));
    if (played > 0) pen.fillRect(played, 0, 2, height);
  }
}

document.querySelectorAll("[data-player]").forEach((box) => new Player(box));
