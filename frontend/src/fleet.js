import { CHANGES, SNAPSHOT, decodeFrame, eachChange, latitude, longitude } from "./frames.js";

/** Where coordinates are counted from, so that 32-bit floats keep centimetres: web Mercator of 126.5 E, 43.6 N. */
export const ORIGIN = { x: mercatorX(126.5), y: mercatorY(43.6) };

export function mercatorX(lon) {
  return (lon + 180) / 360;
}

export function mercatorY(lat) {
  const s = Math.sin((lat * Math.PI) / 180);
  return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
}

export function toLngLat(x, y) {
  const lat = (Math.atan(Math.sinh(Math.PI * (1 - 2 * (y + ORIGIN.y)))) * 180) / Math.PI;
  return [(x + ORIGIN.x) * 360 - 180, lat];
}

/**
 * Every vehicle the viewer may see, as columns. Each organisation holds one stretch of slots, in the order of its last
 * snapshot. `from` and `to` are Mercator coordinates less ORIGIN: where a vehicle was drawn and where it now is.
 */
export class Fleet {
  constructor() {
    this.n = 0;
    this.asset = new Uint32Array(0);
    this.from = new Float32Array(0);
    this.to = new Float32Array(0);
    this.course = new Uint8Array(0);
    this.speed = new Uint8Array(0);
    this.state = new Uint8Array(0);
    this.generation = 0; // grows when slots change their meaning
    this.slots = new Map(); // asset -> slot
    this.organisations = new Map(); // id -> { start, n, tick, lon0, ... }
    this.moved = []; // slots whose `from` differs from `to`
  }

  /** Apply one message. Returns false where a change was missed and the stream must begin again. */
  apply(message) {
    const frame = decodeFrame(message.buffer, message.byteOffset, message.byteLength);
    if (frame.kind === SNAPSHOT) {
      this.#snapshot(frame);
      return true;
    }
    const known = this.organisations.get(frame.organisation);
    if (!known || frame.kind !== CHANGES) return false;
    if (frame.tick <= known.tick && known.tick - frame.tick < 1 << 20) return true; // sent before the snapshot was taken
    if (frame.tick !== known.tick + 1) return false;
    known.tick = frame.tick;
    this.settle();
    let sound = true;
    eachChange(frame, (slot, i) => {
      if (slot >= known.n) sound = false;
      else this.#move(known.start + slot, frame, i);
    });
    return sound;
  }

  /** Let every vehicle stand where it now is; the next changes are drawn from there. */
  settle() {
    for (const slot of this.moved) {
      this.from[2 * slot] = this.to[2 * slot];
      this.from[2 * slot + 1] = this.to[2 * slot + 1];
    }
    this.moved = [];
  }

  /** How many vehicles stand in each state code. */
  counts() {
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < this.n; i++) counts[this.state[i]] += 1;
    return counts;
  }

  #move(slot, frame, i) {
    this.to[2 * slot] = mercatorX(longitude(frame, i)) - ORIGIN.x;
    this.to[2 * slot + 1] = mercatorY(latitude(frame, i)) - ORIGIN.y;
    if (this.state[slot] === 0) {
      this.from[2 * slot] = this.to[2 * slot];
      this.from[2 * slot + 1] = this.to[2 * slot + 1];
    }
    this.course[slot] = frame.course[i];
    this.speed[slot] = frame.speed[i];
    this.state[slot] = frame.state[i];
    this.moved.push(slot);
  }

  #snapshot(frame) {
    const known = this.organisations.get(frame.organisation);
    if (!known || known.n !== frame.n) this.#reserve(frame.organisation, frame.n);
    const stretch = this.organisations.get(frame.organisation);
    stretch.tick = frame.tick;
    const same = known && known.n === frame.n && frame.asset.every((asset, i) => this.asset[stretch.start + i] === asset);
    this.settle();
    for (let i = 0; i < frame.n; i++) {
      const slot = stretch.start + i;
      this.asset[slot] = frame.asset[i];
      this.#move(slot, frame, i);
    }
    if (!same) {
      this.settle();
      this.generation += 1;
      this.slots = new Map();
      for (let i = 0; i < this.n; i++) this.slots.set(this.asset[i], i);
    }
  }

  #reserve(organisation, n) {
    const old = this.organisations;
    const sizes = new Map([...old].map(([id, stretch]) => [id, stretch.n]));
    sizes.set(organisation, n);
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    const before = { asset: this.asset, from: this.from, to: this.to, course: this.course, speed: this.speed, state: this.state };
    this.settle();
    this.n = total;
    this.asset = new Uint32Array(total);
    this.from = new Float32Array(2 * total);
    this.to = new Float32Array(2 * total);
    for (const name of ["course", "speed", "state"]) this[name] = new Uint8Array(total);
    this.organisations = new Map();
    let start = 0;
    for (const [id, size] of sizes) {
      const was = old.get(id);
      this.organisations.set(id, { start, n: size, tick: was?.tick ?? 0 });
      if (was && id !== organisation) {
        for (const name of Object.keys(before)) {
          const width = name === "from" || name === "to" ? 2 : 1;
          this[name].set(before[name].subarray(width * was.start, width * (was.start + was.n)), width * start);
        }
      }
      start += size;
    }
  }
}
