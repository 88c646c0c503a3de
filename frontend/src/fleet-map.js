import { makeMap, maplibre } from "./basemap.js";
import { cluster, members } from "./clusters.js";
import { ORIGIN, mercatorX, mercatorY, toLngLat } from "./fleet.js";
import { FleetLayer } from "./fleet-layer.js";
import { Overlay } from "./overlay.js";

const CLUSTERS_BELOW = 11;
const GLIDE_FROM = 9.5;
const GLIDE_MS = 480;
const LABELS_FROM = 12;
const MOST_LABELS = 160;
const FIRST = [4, 1, 2, 0, 3]; // alarm, moving, idle, offline: the order in which labels find their places
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** A fleet on a map: draws it, gathers it into clusters when far away, lets one be chosen and followed. */
export class FleetMap {
  constructor(container, fleet, { clusters = true, names = null, onChoose = () => {}, onGroup = null, onMove = () => {}, ...options } = {}) {
    this.fleet = fleet;
    this.clustered = clusters;
    this.names = names;
    this.onGroup = onGroup;
    this.chosen = null; // asset
    this.chosenName = "";
    this.following = false;
    this.visible = () => true;
    this.layer = new FleetLayer(fleet);
    this.map = makeMap(container, { own: () => this.#addLayer(), ...options });
    this.overlay = new Overlay(this.map);
    this.map.on("zoom", () => {
      if (this.#step() !== this.step) this.gather();
    });
    this.map.on("moveend", () => this.label());
    this.map.on("click", (event) => this.#click(event, onChoose));
    this.map.on("mousemove", (event) => {
      this.map.getCanvas().style.cursor = this.overlay.hit(event.point) || this.pick(event.point) !== null ? "pointer" : "";
    });
    this.map.on("dragstart", () => {
      if (this.following) {
        this.following = false;
        onMove();
      }
    });
  }

  /** Draw what the fleet's columns now say, gliding to new places where that can be seen. */
  update() {
    cancelAnimationFrame(this.frame);
    this.gather();
    if (calm.matches || this.map.getZoom() < GLIDE_FROM || !this.fleet.moved.length) {
      this.layer.blend = 1;
      this.#followNow(false);
      this.map.triggerRepaint();
      return;
    }
    const began = performance.now();
    this.#followNow(true);
    const glide = () => {
      this.layer.blend = Math.min(1, (performance.now() - began) / GLIDE_MS);
      this.#placeName();
      this.map.triggerRepaint();
      if (this.layer.blend < 1) this.frame = requestAnimationFrame(glide);
    };
    glide();
  }

  /** Show only vehicles for which `visible(slot)` holds. */
  filter(visible) {
    this.visible = visible;
    this.gather();
    this.map.triggerRepaint();
  }

  gather() {
    const { fleet, layer } = this;
    if (layer.hidden.length !== fleet.n) layer.hidden = new Uint8Array(fleet.n);
    this.step = this.#step();
    const shown = (slot) => fleet.state[slot] !== 0 && this.visible(slot);
    if (this.clustered && this.step < CLUSTERS_BELOW) {
      this.overlay.clusters = cluster(fleet, this.step, shown, layer.hidden);
    } else {
      this.overlay.clusters = [];
      layer.hidden.fill(0);
    }
    for (let i = 0; i < fleet.n; i++) if (!shown(i)) layer.hidden[i] = 1;
    layer.selected = this.chosen === null ? -1 : (fleet.slots.get(this.chosen) ?? -1);
    layer.touch();
    this.#placeName();
    this.label();
  }

  /** Choose whose plates are written beside them: those in view, near enough, the ones with alarms first. */
  label() {
    const { fleet, layer, map } = this;
    this.overlay.labels = [];
    if (!this.names || map.getZoom() < LABELS_FROM) return;
    const bounds = map.getBounds();
    const left = mercatorX(bounds.getWest()) - ORIGIN.x;
    const right = mercatorX(bounds.getEast()) - ORIGIN.x;
    const top = mercatorY(bounds.getNorth()) - ORIGIN.y;
    const bottom = mercatorY(bounds.getSouth()) - ORIGIN.y;
    const inView = [];
    for (let i = 0; i < fleet.n && inView.length < 4 * MOST_LABELS; i++) {
      const x = fleet.to[2 * i];
      const y = fleet.to[2 * i + 1];
      if (layer.hidden[i] || fleet.state[i] === 0 || x < left || x > right || y < top || y > bottom) continue;
      inView.push(i);
    }
    inView.sort((a, b) => FIRST[fleet.state[a]] - FIRST[fleet.state[b]]);
    const reach = layer.size(map.getZoom()) / 2;
    this.overlay.labels = inView.slice(0, MOST_LABELS).map((slot) => {
      const named = slot === layer.selected && this.chosenName !== "";
      return { slot, text: named ? "" : this.names.get(fleet.asset[slot]), reach, at: (k) => this.#now(slot, k) };
    });
  }

  /** Choose a vehicle by asset (null: none), and move there unless it is well in view. */
  choose(asset, name = "", { move = true } = {}) {
    this.chosen = asset;
    this.chosenName = name;
    this.gather();
    const slot = asset === null ? undefined : this.fleet.slots.get(asset);
    if (move && slot !== undefined && this.fleet.state[slot] !== 0) {
      this.map.easeTo({ center: this.place(slot), zoom: Math.max(this.map.getZoom(), 12.5), duration: calm.matches ? 0 : 700 });
    }
    this.map.triggerRepaint();
  }

  place(slot) {
    return toLngLat(this.fleet.to[2 * slot], this.fleet.to[2 * slot + 1]);
  }

  /** Return the slot of the vehicle drawn under a pixel, or null. */
  pick(point) {
    const { fleet, layer } = this;
    const reach = Math.max(9, layer.size(this.map.getZoom()) * 0.6);
    const here = this.map.unproject(point);
    const edge = this.map.unproject([point.x + reach, point.y]);
    const x = mercatorX(here.lng) - ORIGIN.x;
    const y = mercatorY(here.lat) - ORIGIN.y;
    let best = (mercatorX(edge.lng) - ORIGIN.x - x) ** 2;
    let found = null;
    for (let i = 0; i < fleet.n; i++) {
      if (layer.hidden[i] || fleet.state[i] === 0) continue;
      const distance = (fleet.to[2 * i] - x) ** 2 + (fleet.to[2 * i + 1] - y) ** 2;
      if (distance < best) {
        best = distance;
        found = i;
      }
    }
    return found;
  }

  #step() {
    return Math.floor(this.map.getZoom());
  }

  #addLayer() {
    if (!this.map.getLayer("fleet")) this.map.addLayer(this.layer);
  }

  #placeName() {
    const slot = this.layer.selected;
    this.overlay.name = null;
    if (slot < 0 || !this.chosenName || this.fleet.state[slot] === 0) return;
    this.overlay.name = { text: this.chosenName, x: this.#now(slot, 0), y: this.#now(slot, 1) };
  }

  /** Where a vehicle is drawn at this moment of its glide: its Mercator x (k = 0) or y (k = 1). */
  #now(slot, k) {
    const { from, to } = this.fleet;
    return from[2 * slot + k] + (to[2 * slot + k] - from[2 * slot + k]) * this.layer.blend;
  }

  /** Come nearer to a cluster. */
  near(group) {
    this.map.easeTo({ center: toLngLat(group.x, group.y), zoom: Math.min(this.map.getZoom() + 2, 13), duration: calm.matches ? 0 : 450 });
  }

  #followNow(glide) {
    const slot = this.layer.selected;
    if (!this.following || slot < 0 || this.fleet.state[slot] === 0) return;
    this.map.easeTo({ center: this.place(slot), duration: glide ? GLIDE_MS : 0, easing: (t) => t });
  }

  #click(event, onChoose) {
    const group = this.overlay.hit(event.point);
    if (group) {
      const named = this.onGroup ? members(group) : null;
      if (named) this.onGroup(named.map((slot) => this.fleet.asset[slot]), group);
      else this.near(group);
      return;
    }
    const slot = this.pick(event.point);
    onChoose(slot === null ? null : this.fleet.asset[slot]);
  }
}

export { maplibre };
