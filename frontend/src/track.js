// What a track is made of, without map or chart: where it was at a time, its events, its stretches of like speed.

export const GAP_MS = 5 * 60 * 1000;
const TOLD_MS = 15000;
const CLASSES = [10, 30, 60, 90]; // km/h; slower than the first is class 0

export function speedClass(speed) {
  let at = 0;
  while (at < CLASSES.length && speed >= CLASSES[at]) at += 1;
  return at;
}

/** Return the last index whose time is not after `t` (0 where all are). */
export function indexAt(times, t) {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= t) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Where the vehicle was at `t`: between two fixes in proportion, at the last one where the next is far off in time. */
export function at(points, t) {
  const i = indexAt(points.t, t);
  const j = Math.min(i + 1, points.t.length - 1);
  const length = points.t[j] - points.t[i];
  const part = length > 0 && length < GAP_MS ? Math.min(1, Math.max(0, (t - points.t[i]) / length)) : 0;
  const between = (column) => column[i] + (column[j] - column[i]) * part;
  return { index: i, lon: between(points.lon), lat: between(points.lat), speed: points.speed[i], course: points.course[i] ?? 0 };
}

/** Return stops and alarms in order of their beginnings: {t, from, to, kind: "stop" | "alarm", ...}. */
export function events({ points, stops }) {
  const found = stops.map((stop) => ({ ...stop, t: stop.from, kind: "stop" }));
  let alarm = null;
  for (let i = 0; i < points.t.length; i++) {
    if (!points.alarm[i]) alarm = null;
    else if (alarm) alarm.to = points.t[i];
    else found.push((alarm = { t: points.t[i], from: points.t[i], to: points.t[i], kind: "alarm", lon: points.lon[i], lat: points.lat[i] }));
  }
  return found.sort((a, b) => a.t - b.t);
}

/** Return the event that lasts at `t`: none before it has begun; an alarm is told for a moment even where it was over at once. */
export function eventAt(found, t) {
  const until = (event) => (event.kind === "alarm" ? Math.max(event.to, event.from + TOLD_MS) : event.to);
  const lasting = found.filter((event) => event.from <= t && t <= until(event));
  return lasting.find((event) => event.kind === "alarm") ?? lasting[0];
}

/** Return the line in stretches of one speed class; a long silence is a stretch of class -1 (nothing is known of it). */
export function stretches(points) {
  const found = [];
  let open = null;
  for (let i = 1; i < points.t.length; i++) {
    const gap = points.t[i] - points.t[i - 1] >= GAP_MS;
    const kind = gap ? -1 : speedClass(points.speed[i]);
    const to = [points.lon[i], points.lat[i]];
    if (open && open.kind === kind) open.line.push(to);
    else found.push((open = { kind, line: [[points.lon[i - 1], points.lat[i - 1]], to] }));
  }
  return found;
}
