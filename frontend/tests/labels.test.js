import assert from "node:assert/strict";
import { test } from "node:test";

import { cluster, members } from "../src/clusters.js";
import { ORIGIN, mercatorX, mercatorY } from "../src/fleet.js";
import { place } from "../src/labels.js";
import { Selection } from "../src/selection.js";

const point = (x, y) => ({ x, y, reach: 10, width: 60, height: 18 });

test("a label stands right of its vehicle where there is room", () => {
  assert.deepEqual(place([point(100, 100)]).map(({ left, top }) => [left, top]), [[113, 91]]);
});

test("labels cover neither each other nor other vehicles, and one without room is left out", () => {
  const crowd = Array.from({ length: 60 }, (_, i) => point(100 + (i % 10) * 34, 100 + Math.floor(i / 10) * 26));
  const placed = place(crowd);
  assert.ok(placed.length > 0 && placed.length < crowd.length);
  const apart = (a, b) => a.left >= b.right || b.left >= a.right || a.top >= b.bottom || b.top >= a.bottom;
  placed.forEach((a, i) => placed.slice(i + 1).forEach((b) => assert.ok(apart(a, b))));
  for (const box of placed) {
    crowd.forEach((p, i) => {
      if (i !== box.index) assert.ok(apart(box, { left: p.x - 10, right: p.x + 10, top: p.y - 10, bottom: p.y + 10 }));
    });
  }
});

test("labels keep clear of what is taken", () => {
  const [box] = place([point(100, 100)], [{ of: -1, left: 110, right: 200, top: 80, bottom: 120 }]);
  assert.equal(box.right, 87);
});

function fleetOf(places) {
  const to = new Float32Array(places.flatMap(([lon, lat]) => [mercatorX(lon) - ORIGIN.x, mercatorY(lat) - ORIGIN.y]));
  return { n: places.length, to, state: new Uint8Array(places.length).fill(1) };
}

test("a small cluster names its vehicles, and a vehicle under its disc belongs to it", () => {
  const fleet = fleetOf([[125.3, 43.8], [125.301, 43.8], [125.302, 43.8], [125.3, 43.801], [126.9, 43.8]]);
  const hidden = new Uint8Array(5);
  const clusters = cluster(fleet, 8, () => true, hidden);
  assert.equal(clusters.length, 1);
  assert.deepEqual(members(clusters[0]), [0, 1, 2, 3]);
  assert.deepEqual([...hidden], [1, 1, 1, 1, 0]);
});

test("every vehicle is in one cluster or drawn by itself, and none is drawn under a disc", () => {
  const places = Array.from({ length: 3000 }, (_, i) => [125 + ((i * 7919) % 1000) / 400, 43 + ((i * 104729) % 1000) / 500]);
  const fleet = fleetOf(places);
  const hidden = new Uint8Array(fleet.n);
  const clusters = cluster(fleet, 7, () => true, hidden);
  const inside = clusters.reduce((sum, one) => sum + one.count, 0);
  assert.equal(inside + hidden.filter((each) => !each).length, fleet.n);
  for (const one of clusters) assert.equal(one.states.reduce((a, b) => a + b), one.count);
});

test("a selection survives rows that are loaded anew and forgets those that are gone", () => {
  const selection = new Selection();
  const boxes = (...values) => values.map((value) => ({ name: "alarm", value, checked: false }));
  const first = boxes("1", "2", "3");
  first[0].checked = first[2].checked = true;
  first.forEach((box) => selection.note(box));
  const fresh = boxes("4", "3", "2");
  selection.after(fresh);
  assert.deepEqual(fresh.map((box) => box.checked), [false, true, false]);
  assert.deepEqual([...selection.values], ["alarm:3"]);
  assert.deepEqual([selection.all(fresh), selection.all(boxes("2")), selection.all(boxes("3"))], [null, false, true]);
});
