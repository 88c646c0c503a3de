import { radius } from "./clusters.js";
import { place } from "./labels.js";
import { toLngLat } from "./fleet.js";
import { palette } from "./palette.js";

const FONT = 'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';

/** Clusters, plates and the chosen vehicle's name, drawn with the browser's own letters on a canvas above the map. */
export class Overlay {
  constructor(map) {
    this.map = map;
    this.clusters = [];
    this.name = null; // { text, x, y }
    this.labels = []; // { text, reach, at(0 or 1) }
    this.widths = new Map(); // of texts, in pixels
    this.canvas = document.createElement("canvas");
    this.canvas.className = "map-overlay";
    this.canvas.setAttribute("aria-hidden", "true");
    map.getCanvasContainer().append(this.canvas);
    map.on("render", () => this.draw());
  }

  /** Call `place(item, x, y)` with the pixel position of each item that has Mercator x and y. */
  #each(items, place) {
    for (const item of items) {
      const point = this.map.project(toLngLat(item.x, item.y));
      place(item, point.x, point.y);
    }
  }

  /** Return the cluster under a pixel, or null. */
  hit(point) {
    let found = null;
    this.#each(this.clusters, (one, x, y) => {
      if (Math.hypot(point.x - x, point.y - y) <= radius(one.count) + 4) found = one;
    });
    return found;
  }

  draw() {
    const { canvas, map } = this;
    const { clientWidth: width, clientHeight: height } = map.getCanvas();
    const ratio = devicePixelRatio;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    const colours = palette();
    g.textAlign = "center";
    g.textBaseline = "middle";
    this.#each(this.clusters, (one, x, y) => {
      if (x < -40 || y < -40 || x > width + 40 || y > height + 40) return;
      this.#cluster(g, one, x, y, colours);
    });
    this.#labels(g, width, height, colours);
    if (this.name) this.#each([this.name], (name, x, y) => this.#label(g, name.text, x, y, colours));
  }

  #labels(g, width, height, colours) {
    if (!this.labels.length) return;
    g.font = `600 12px ${FONT}`;
    const points = [];
    for (const label of this.labels) {
      const { x, y } = this.map.project(toLngLat(label.at(0), label.at(1)));
      if (x < -60 || y < -30 || x > width + 60 || y > height + 30) continue;
      if (!this.widths.has(label.text)) this.widths.set(label.text, Math.ceil(g.measureText(label.text).width) + 8);
      points.push({ x, y, reach: label.reach, width: this.widths.get(label.text), height: 18, text: label.text });
    }
    const taken = [];
    if (this.name) this.#each([this.name], (name, x, y) => taken.push({ of: -1, left: x - 60, right: x + 60, top: y - 46, bottom: y - 12 }));
    g.textAlign = "left";
    for (const box of place(points, taken)) {
      const { text } = points[box.index];
      if (!text) continue;
      g.fillStyle = colours.disc;
      g.globalAlpha = 0.86;
      g.beginPath();
      g.roundRect(box.left, box.top, box.right - box.left, box.bottom - box.top, 4);
      g.fill();
      g.globalAlpha = 1;
      g.fillStyle = colours.discInk;
      g.fillText(text, box.left + 4, (box.top + box.bottom) / 2 + 0.5);
    }
    g.textAlign = "center";
  }

  #cluster(g, one, x, y, colours) {
    const size = radius(one.count);
    g.beginPath();
    g.arc(x, y, size + 1.5, 0, 2 * Math.PI);
    g.fillStyle = colours.ring;
    g.fill();
    let angle = -Math.PI / 2;
    for (const state of [3, 1, 2, 4]) {
      if (!one.states[state]) continue;
      const next = angle + (2 * Math.PI * one.states[state]) / one.count;
      g.beginPath();
      g.moveTo(x, y);
      g.arc(x, y, size, angle, next);
      g.closePath();
      g.fillStyle = colours.states[state];
      g.fill();
      angle = next;
    }
    g.beginPath();
    g.arc(x, y, size - 4, 0, 2 * Math.PI);
    g.fillStyle = colours.disc;
    g.fill();
    g.fillStyle = colours.discInk;
    g.font = `600 ${size > 22 ? 13 : 12}px system-ui, sans-serif`;
    g.fillText(one.count < 10000 ? String(one.count) : `${Math.round(one.count / 1000)}k`, x, y + 0.5);
  }

  #label(g, text, x, y, colours) {
    g.font = `600 13px ${FONT}`;
    const width = g.measureText(text).width + 16;
    const top = y - 44;
    g.fillStyle = colours.discInk;
    g.beginPath();
    g.roundRect(x - width / 2, top, width, 24, 5);
    g.moveTo(x - 5, top + 24);
    g.lineTo(x, top + 30);
    g.lineTo(x + 5, top + 24);
    g.fill();
    g.fillStyle = colours.disc;
    g.fillText(text, x, top + 12.5);
  }
}
