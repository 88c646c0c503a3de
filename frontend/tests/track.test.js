import assert from "node:assert/strict";
import { test } from "node:test";

import { GAP_MS, at, eventAt, events, indexAt, speedClass, stretches } from "../src/track.js";

const points = {
  t: [0, 10000, 20000, 20000 + GAP_MS, 30000 + GAP_MS],
  lon: [125, 125.1, 125.2, 126, 126.1],
  lat: [43, 43, 43, 44, 44],
  speed: [0, 40, 45, 95, 95],
  course: [0, 90, 90, 90, 90],
  alarm: [0, 2, 2, 0, 2],
};

test("a time between two fixes lies between them, a time in a silence stays at the last fix", () => {
  assert.ok(Math.abs(at(points, 5000).lon - 125.05) < 1e-9);
  assert.equal(at(points, 20000 + GAP_MS / 2).lon, 125.2);
  assert.equal(at(points, -5).index, 0);
  assert.equal(at(points, 1e12).index, 4);
  assert.equal(indexAt(points.t, 10000), 1);
});

test("events are stops and the beginnings of alarms in order", () => {
  const all = events({ points, stops: [{ from: 12000, to: 15000, lon: 125.1, lat: 43 }] });
  assert.deepEqual(all.map((event) => [event.t, event.kind]), [[10000, "alarm"], [12000, "stop"], [30000 + GAP_MS, "alarm"]]);
});

test("an event is told from its beginning to its end, and no second before", () => {
  const found = events({ points, stops: [{ from: 40000, to: 45000, lon: 125.1, lat: 43 }] });
  assert.deepEqual([9999, 10000, 20000, 24999, 25001, 39999, 40000, 45001].map((t) => eventAt(found, t)?.kind), [undefined, "alarm", "alarm", "alarm", undefined, undefined, "stop", undefined]);
  assert.equal(eventAt(found, 20000 + GAP_MS), undefined);
  assert.equal(eventAt(found, 30000 + GAP_MS).kind, "alarm");
});

test("stretches join like speeds and keep a silence apart", () => {
  const parts = stretches(points);
  assert.deepEqual(parts.map((part) => part.kind), [speedClass(40), -1, speedClass(95)]);
  assert.equal(parts[0].line.length, 3);
});
