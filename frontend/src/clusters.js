import { ORIGIN } from "./fleet.js";

const TILE = 512; // pixels of the world at zoom 0
const CELL = 72; // pixels of a cell's side
const AT_LEAST = 4; // fewer are drawn one by one
const MOST_NAMED = 24; // a cluster of so many or fewer can say who is in it

/**
 * Gather vehicles into the cells of a grid that lies still in the world, for one whole zoom step.
 * `shown(slot)` says whether a vehicle takes part. Returns the clusters ({x, y, count, states}) and fills `hidden`
 * (1 where a vehicle is inside one). Linear in the number of vehicles.
 */
export function cluster(fleet, zoom, shown, hidden) {
  const { n, to, state } = fleet;
  const scale = (TILE * 2 ** zoom) / CELL;
  let left = Infinity;
  let right = -Infinity;
  let top = Infinity;
  let bottom = -Infinity;
  for (let i = 0; i < n; i++) {
    if (state[i] === 0) continue;
    const x = to[2 * i];
    const y = to[2 * i + 1];
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  hidden.fill(0);
  if (left > right) return [];
  const firstColumn = Math.floor((left + ORIGIN.x) * scale);
  const firstRow = Math.floor((top + ORIGIN.y) * scale);
  const columns = Math.floor((right + ORIGIN.x) * scale) - firstColumn + 1;
  const rows = Math.floor((bottom + ORIGIN.y) * scale) - firstRow + 1;
  if (columns * rows > 4_000_000) return [];
  const counts = new Int32Array(columns * rows);
  const cells = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    if (!shown(i)) {
      cells[i] = -1;
      continue;
    }
    const column = Math.floor((to[2 * i] + ORIGIN.x) * scale) - firstColumn;
    const row = Math.floor((to[2 * i + 1] + ORIGIN.y) * scale) - firstRow;
    cells[i] = row * columns + column;
    counts[cells[i]] += 1;
  }
  const found = new Map();
  for (let i = 0; i < n; i++) {
    const cell = cells[i];
    if (cell < 0 || counts[cell] < AT_LEAST) continue;
    hidden[i] = 1;
    let one = found.get(cell);
    if (!one) found.set(cell, (one = { x: 0, y: 0, count: 0, states: [0, 0, 0, 0, 0], members: [] }));
    if (counts[cell] <= MOST_NAMED) one.members.push(i);
    one.x += to[2 * i];
    one.y += to[2 * i + 1];
    one.count += 1;
    one.states[state[i]] += 1;
  }
  for (const one of found.values()) {
    one.x /= one.count;
    one.y /= one.count;
  }
  const kept = apart([...found.values()], TILE * 2 ** zoom);
  swallow(kept, fleet, shown, hidden, TILE * 2 ** zoom);
  return kept;
}

/** Take vehicles that would be drawn under the disc of a cluster into it, so that each can be reached. */
function swallow(clusters, fleet, shown, hidden, pixels) {
  const grid = new Map();
  const cell = (x, y) => Math.floor((x * pixels) / CELL) * 0x1000000 + Math.floor((y * pixels) / CELL);
  for (const one of clusters) {
    const key = cell(one.x, one.y);
    if (!grid.has(key)) grid.set(key, []);
    grid.get(key).push(one);
  }
  for (let i = 0; i < fleet.n; i++) {
    if (hidden[i] || !shown(i)) continue;
    const x = fleet.to[2 * i];
    const y = fleet.to[2 * i + 1];
    let host = null;
    for (const c of [-1, 0, 1]) {
      for (const r of [-1, 0, 1]) {
        for (const one of grid.get(cell(x + (c * CELL) / pixels, y + (r * CELL) / pixels)) ?? []) {
          if (Math.hypot(one.x - x, one.y - y) * pixels < radius(one.count) + 6) host = one;
        }
      }
    }
    if (!host) continue;
    hidden[i] = 1;
    host.count += 1;
    host.states[fleet.state[i]] += 1;
    host.members.push(i);
  }
}

/** The vehicles of a cluster by slot, or null where they are too many to be named. */
export function members(one) {
  return one.members.length === one.count && one.count <= MOST_NAMED ? one.members : null;
}

/** How large a cluster is drawn, in pixels. */
export function radius(count) {
  return Math.min(32, 12 + 3.2 * Math.log2(count / 3));
}

/**
 * Join clusters that would be drawn over each other, the larger taking in the smaller. Kept ones lie in a grid as wide as the
 * farthest two can touch, so that only neighbours are looked at.
 */
function apart(clusters, pixels) {
  clusters.sort((a, b) => b.count - a.count);
  const kept = [];
  const grid = new Map();
  const place = (one) => [Math.floor((one.x * pixels) / CELL), Math.floor((one.y * pixels) / CELL)];
  const cell = (column, row) => column * 0x1000000 + row;
  const enter = (rank, key) => {
    if (!grid.has(key)) grid.set(key, []);
    grid.get(key).push(rank);
  };
  for (const one of clusters) {
    const [column, row] = place(one);
    let found = Infinity; // the largest of those it would touch
    for (let c = column - 1; c <= column + 1; c++) {
      for (let r = row - 1; r <= row + 1; r++) {
        for (const rank of grid.get(cell(c, r)) ?? []) {
          const big = kept[rank];
          const distance = Math.hypot(big.x - one.x, big.y - one.y) * pixels;
          if (rank < found && distance < 0.95 * (radius(big.count) + radius(one.count))) found = rank;
        }
      }
    }
    if (found === Infinity) {
      enter(kept.push(one) - 1, cell(column, row));
      continue;
    }
    const host = kept[found];
    const before = cell(...place(host));
    const count = host.count + one.count;
    host.x += ((one.x - host.x) * one.count) / count;
    host.y += ((one.y - host.y) * one.count) / count;
    host.count = count;
    if (host.members.length <= MOST_NAMED) host.members.push(...one.members);
    one.states.forEach((each, state) => (host.states[state] += each));
    const after = cell(...place(host));
    if (after !== before) {
      grid.set(before, grid.get(before).filter((rank) => rank !== found));
      enter(found, after);
    }
  }
  return kept;
}
