import assert from "node:assert/strict";
import { test } from "node:test";

import { cluster } from "../src/clusters.js";
import { Fleet, toLngLat } from "../src/fleet.js";
import { BadFrame, MessageSplitter, decodeFrame, eachChange, latitude, longitude } from "../src/frames.js";

const padded = (size) => (size + 3) & ~3;

/** Write a frame from the format's description, not from the decoder. */
function frame({ kind = 1, organisation = 7, tick = 1, keys, rows, box = [121, 40, 16, 8] }) {
  const n = keys.length;
  const wide = kind === 1 ? 4 : 2;
  const size = 32 + padded(n * wide) + 2 * padded(2 * n) + 4 * padded(n);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kind);
  view.setUint8(1, 1);
  view.setUint32(4, organisation, true);
  view.setUint32(8, tick, true);
  view.setUint32(12, n, true);
  box.forEach((value, i) => view.setFloat32(16 + 4 * i, value, true));
  let at = 32;
  keys.forEach((key, i) => (kind === 1 ? view.setUint32(at + 4 * i, key, true) : view.setUint16(at + 2 * i, key, true)));
  at += padded(n * wide);
  const fixed = rows.map((row) => {
    const x = Math.round(((row.lon - box[0]) / box[2]) * 1048576);
    const y = Math.round(((row.lat - box[1]) / box[3]) * 1048576);
    return { x: x >> 4, y: y >> 4, fine: ((x & 15) << 4) | (y & 15), course: row.course ?? 0, speed: row.speed ?? 0, state: row.state ?? 1 };
  });
  for (const name of ["x", "y"]) {
    fixed.forEach((row, i) => view.setUint16(at + 2 * i, row[name], true));
    at += padded(2 * n);
  }
  for (const name of ["fine", "course", "speed", "state"]) {
    fixed.forEach((row, i) => view.setUint8(at + i, row[name]));
    at += padded(n);
  }
  return bytes;
}

function message(bytes) {
  const whole = new Uint8Array(4 + bytes.length);
  new DataView(whole.buffer).setUint32(0, bytes.length, true);
  whole.set(bytes, 4);
  return whole;
}

const CHANGCHUN = { lon: 125.3235, lat: 43.8868, course: 64, speed: 61, state: 1 };
const YANJI = { lon: 129.5088, lat: 42.8911, course: 0, speed: 0, state: 2 };

test("a snapshot gives back positions to two metres and every other column exactly", () => {
  const bytes = frame({ keys: [11, 12], rows: [CHANGCHUN, YANJI] });
  const decoded = decodeFrame(bytes.buffer);
  assert.deepEqual([...decoded.asset], [11, 12]);
  assert.ok(Math.abs(longitude(decoded, 0) - CHANGCHUN.lon) < 2e-5);
  assert.ok(Math.abs(latitude(decoded, 1) - YANJI.lat) < 2e-5);
  assert.deepEqual([decoded.course[0], decoded.speed[0], decoded.state[1]], [64, 61, 2]);
});

test("a long gap carries no row of its own", () => {
  const bytes = frame({ kind: 2, keys: [3, 65535, 10], rows: [CHANGCHUN, CHANGCHUN, YANJI] });
  const slots = [];
  eachChange(decodeFrame(bytes.buffer), (slot, i) => slots.push([slot, i]));
  assert.deepEqual(slots, [
    [3, 0],
    [65548, 2],
  ]);
});

test("every cut of a frame is refused as a bad frame", () => {
  const bytes = frame({ keys: [1, 2, 3], rows: [CHANGCHUN, YANJI, YANJI] });
  for (let length = 0; length < bytes.length - 1; length++) {
    assert.throws(() => decodeFrame(bytes.slice(0, length).buffer), BadFrame);
  }
});

test("a stream cut anywhere gives the same messages, and a length of zero is a heartbeat", () => {
  const whole = [frame({ keys: [1], rows: [YANJI] }), new Uint8Array(0), frame({ kind: 2, tick: 2, keys: [0], rows: [CHANGCHUN] })].map(message);
  const stream = Uint8Array.from(whole.flatMap((part) => [...part]));
  for (let cut = 0; cut <= stream.length; cut++) {
    const splitter = new MessageSplitter();
    const messages = [...splitter.push(stream.slice(0, cut)), ...splitter.push(stream.slice(cut))];
    assert.deepEqual(messages.map((m) => m.length), whole.map((m) => m.length - 4));
    assert.deepEqual([...messages[2]], [...whole[2].slice(4)]);
  }
});

test("a fleet follows snapshots and changes of several organisations", () => {
  const fleet = new Fleet();
  assert.ok(fleet.apply(frame({ organisation: 1, keys: [11, 12], rows: [CHANGCHUN, YANJI] })));
  assert.ok(fleet.apply(frame({ organisation: 2, tick: 9, keys: [21], rows: [YANJI] })));
  assert.ok(fleet.apply(frame({ organisation: 1, kind: 2, tick: 2, keys: [1], rows: [CHANGCHUN] })));
  assert.equal(fleet.n, 3);
  const slot = fleet.slots.get(12);
  const [lon, lat] = toLngLat(fleet.to[2 * slot], fleet.to[2 * slot + 1]);
  assert.ok(Math.abs(lon - CHANGCHUN.lon) < 3e-5 && Math.abs(lat - CHANGCHUN.lat) < 3e-5);
  assert.deepEqual(fleet.counts(), [0, 2, 1, 0, 0]);
});

test("a missed change asks for a new beginning, a late one is passed over", () => {
  const fleet = new Fleet();
  fleet.apply(frame({ tick: 5, keys: [11], rows: [YANJI] }));
  assert.equal(fleet.apply(frame({ kind: 2, tick: 4, keys: [0], rows: [CHANGCHUN] })), true);
  assert.equal(fleet.state[0], 2);
  assert.equal(fleet.apply(frame({ kind: 2, tick: 7, keys: [0], rows: [CHANGCHUN] })), false);
  assert.equal(fleet.apply(frame({ kind: 2, tick: 6, organisation: 99, keys: [0], rows: [CHANGCHUN] })), false);
});

test("a vehicle that joins keeps the others in their places", () => {
  const fleet = new Fleet();
  fleet.apply(frame({ organisation: 1, keys: [11], rows: [YANJI] }));
  fleet.apply(frame({ organisation: 2, keys: [21], rows: [CHANGCHUN] }));
  fleet.apply(frame({ organisation: 1, tick: 2, keys: [11, 12], rows: [YANJI, CHANGCHUN] }));
  assert.deepEqual([...fleet.slots.keys()].sort(), [11, 12, 21]);
  assert.equal(fleet.state[fleet.slots.get(21)], 1);
});

test("clusters count every vehicle that takes part exactly once", () => {
  const fleet = new Fleet();
  const rows = Array.from({ length: 500 }, (_, i) => ({ lon: 125 + (i % 25) * 0.01, lat: 43 + Math.floor(i / 25) * 0.01, state: 1 + (i % 4) }));
  rows.push({ lon: 130.2, lat: 42.9, state: 3 });
  fleet.apply(frame({ keys: rows.map((_, i) => i + 1), rows }));
  for (const zoom of [4, 6, 8, 10]) {
    const hidden = new Uint8Array(fleet.n);
    const clusters = cluster(fleet, zoom, (i) => fleet.state[i] !== 4, hidden);
    const inside = clusters.reduce((sum, one) => sum + one.count, 0);
    assert.equal(inside, hidden.reduce((sum, one) => sum + one, 0));
    assert.equal(hidden[500], 0);
    assert.ok(clusters.every((one) => one.states[4] === 0));
  }
});
