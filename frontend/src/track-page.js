import { JILIN, canDraw, makeMap, maplibre } from "./basemap.js";
import { palette } from "./palette.js";
import { makeChart } from "./speed-chart.js";
import { at, eventAt, events as eventsOf, indexAt, stretches } from "./track.js";
import { word } from "./words.js";

const SPEEDS = ["#3b6fb6", "#2a9d8f", "#8ab13c", "#e9a100", "#d1495b"];
const find = (id) => document.getElementById(id);
const player = find("player");
const scrubber = find("scrubber");
const language = document.documentElement.lang;
// The Swedish order is the one of ISO 8601, which both languages read alike.
const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const timeText = (t) => clock.format(t);

async function fetchTrack() {
  const response = await fetch(player.dataset.track, { headers: { Accept: "application/json" } });
  if (!response.ok || response.redirected) throw new Error(`status ${response.status}`);
  return response.json();
}

function drawTrack(map, track, events) {
  const colours = palette();
  const features = stretches(track.points).map(({ kind, line }) => ({ type: "Feature", properties: { kind }, geometry: { type: "LineString", coordinates: line } }));
  const marks = events.map((event) => ({ type: "Feature", properties: { kind: event.kind }, geometry: { type: "Point", coordinates: [event.lon, event.lat] } }));
  map.addSource("track", { type: "geojson", data: { type: "FeatureCollection", features } });
  map.addSource("events", { type: "geojson", data: { type: "FeatureCollection", features: marks } });
  const round = { "line-cap": "round", "line-join": "round" };
  map.addLayer({ id: "track-case", type: "line", source: "track", filter: [">=", ["get", "kind"], 0], layout: round, paint: { "line-color": colours.halo, "line-width": 7 } });
  map.addLayer({ id: "track-gap", type: "line", source: "track", filter: ["==", ["get", "kind"], -1], paint: { "line-color": colours.label, "line-width": 1.5, "line-dasharray": [2, 3] } });
  map.addLayer({ id: "track-line", type: "line", source: "track", filter: [">=", ["get", "kind"], 0], layout: round, paint: { "line-color": ["match", ["get", "kind"], ...SPEEDS.flatMap((colour, i) => [i, colour]), colours.label], "line-width": 4 } });
  map.addLayer({ id: "events", type: "circle", source: "events", paint: { "circle-radius": 6, "circle-color": ["match", ["get", "kind"], "alarm", colours.states[3], colours.disc], "circle-stroke-width": 2.5, "circle-stroke-color": ["match", ["get", "kind"], "alarm", colours.halo, colours.discInk] } });
}

function bounds(points) {
  const box = new maplibre.LngLatBounds();
  for (let i = 0; i < points.t.length; i++) box.extend([points.lon[i], points.lat[i]]);
  return box;
}

/** The state of the replay: a time, whether it runs and how fast; `show` is called at each change. */
class Replay {
  constructor(track, show) {
    this.points = track.points;
    this.first = track.points.t[0];
    this.last = track.points.t.at(-1);
    this.events = eventsOf(track);
    this.time = this.first;
    this.rate = 10;
    this.running = false;
    this.show = show;
  }

  seek(time) {
    this.time = Math.min(this.last, Math.max(this.first, time));
    this.show(this);
  }

  step(places) {
    const i = indexAt(this.points.t, this.time) + places;
    this.seek(this.points.t[Math.max(0, Math.min(this.points.t.length - 1, i))]);
  }

  jump(direction) {
    const next = direction > 0 ? this.events.find((event) => event.t > this.time) : this.events.findLast((event) => event.t < this.time);
    this.seek(next ? next.t : direction > 0 ? this.last : this.first);
  }

  toggle() {
    if (!this.running && this.time >= this.last) this.time = this.first;
    this.running = !this.running;
    if (this.running) this.#run(performance.now());
    this.show(this);
  }

  #run(before) {
    requestAnimationFrame((now) => {
      if (!this.running) return;
      let time = this.time + (now - before) * this.rate;
      // Hours without a fix are passed over: nothing is known of them.
      const next = this.points.t[indexAt(this.points.t, this.time) + 1];
      if (next && next - this.points.t[indexAt(this.points.t, this.time)] >= 300000) time = next;
      if (time >= this.last) this.running = false;
      this.seek(time);
      if (this.running) this.#run(now);
    });
  }
}

const icons = { play: find("play").innerHTML, pause: find("play").innerHTML.replace("#play", "#pause") };

function showReplay(replay, chart, marker, map) {
  const here = at(replay.points, replay.time);
  const near = eventAt(replay.events, replay.time);
  find("now-time").textContent = timeText(replay.time);
  find("now-speed").textContent = `${Math.round(here.speed)} km/h`;
  find("now-event").textContent = near ? word(near.kind) : "";
  find("now-event").className = near ? `badge badge-${near.kind === "alarm" ? "alarm" : "offline"}` : "";
  scrubber.setAttribute("aria-valuenow", String(Math.round((replay.time - replay.first) / 1000)));
  scrubber.setAttribute("aria-valuetext", `${timeText(replay.time)}, ${Math.round(here.speed)} km/h${near ? `, ${word(near.kind)}` : ""}`);
  find("head").style.setProperty("left", `${chart.xOf(replay.time)}px`);
  const button = find("play");
  const state = replay.running ? "pause" : "play";
  if (button.dataset.state !== state) {
    button.dataset.state = state;
    button.innerHTML = icons[state];
    button.setAttribute("aria-label", word(state));
  }
  if (!map) return;
  marker.setLngLat([here.lon, here.lat]);
  marker.setRotation(here.course);
  if (!map.getBounds().contains([here.lon, here.lat])) map.panTo([here.lon, here.lat]);
}

function listen(replay, chart) {
  find("play").addEventListener("click", () => replay.toggle());
  find("jump").addEventListener("click", () => replay.jump(1));
  find("rate").addEventListener("change", (event) => (replay.rate = Number(event.target.value)));
  const seek = (event) => replay.seek(chart.timeAt(event.clientX - scrubber.getBoundingClientRect().left));
  scrubber.addEventListener("pointerdown", (event) => {
    scrubber.setPointerCapture(event.pointerId);
    scrubber.focus();
    seek(event);
    scrubber.addEventListener("pointermove", seek);
    scrubber.addEventListener("pointerup", () => scrubber.removeEventListener("pointermove", seek), { once: true });
  });
  const minute = (event, direction) => (event.shiftKey ? replay.seek(replay.time + direction * 60000) : replay.step(direction));
  const keys = {
    ArrowRight: (event) => minute(event, 1),
    ArrowLeft: (event) => minute(event, -1),
    PageUp: () => replay.seek(replay.time + 600000),
    PageDown: () => replay.seek(replay.time - 600000),
    Home: () => replay.seek(replay.first),
    End: () => replay.seek(replay.last),
    " ": () => replay.toggle(),
    n: () => replay.jump(1),
    p: () => replay.jump(-1),
  };
  scrubber.addEventListener("keydown", (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!keys[key] || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    event.preventDefault();
    keys[key](event);
  });
}

function arrow() {
  const element = document.createElement("div");
  element.className = "track-arrow";
  element.setAttribute("aria-hidden", "true");
  return element;
}

async function main() {
  if (!player) return;
  player.hidden = false;
  let track;
  try {
    track = await fetchTrack();
    if (!track.points.t.length) throw new Error("no points");
  } catch {
    find("track-problem").hidden = false;
    find("track-problem").textContent = word("failed");
    return;
  }
  const events = eventsOf(track);
  const chart = makeChart(find("chart"), track, events, language);
  let map = null;
  let marker = null;
  if (canDraw()) {
    map = makeMap(find("track-map"), { own: () => drawTrack(map, track, events), bounds: track.points.t.length > 1 ? bounds(track.points) : JILIN, fitBoundsOptions: { padding: { top: 40, bottom: 48, left: 48, right: 120 }, maxZoom: 15 } });
    marker = new maplibre.Marker({ element: arrow(), rotationAlignment: "map" }).setLngLat([track.points.lon[0], track.points.lat[0]]).addTo(map);
  } else {
    find("track-map").parentElement.hidden = true;
  }
  const replay = new Replay(track, (state) => showReplay(state, chart, marker, map));
  scrubber.setAttribute("aria-valuemax", String(Math.round((replay.last - replay.first) / 1000)));
  chart.onResize(() => replay.show(replay));
  listen(replay, chart);
  replay.show(replay);
  window.jilinkTrack = { replay, track };
}

main();
