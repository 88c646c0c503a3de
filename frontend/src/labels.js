const GAP = 3; // pixels between a label and anything else

const overlaps = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/**
 * Put labels beside their points so that none covers another: right of it, else left, below or above; where nothing is free, none.
 * `points` are { x, y, reach, width, height } in pixels, the important first; `taken` are boxes to keep clear. Returns for each
 * placed label { index, left, top, right, bottom }. A grid keeps it linear.
 */
export function place(points, taken = [], cell = 80) {
  const grid = new Map();
  const cells = function* (box) {
    for (let c = Math.floor(box.left / cell); c <= Math.floor(box.right / cell); c++) {
      for (let r = Math.floor(box.top / cell); r <= Math.floor(box.bottom / cell); r++) yield c * 65536 + r;
    }
  };
  const enter = (box) => {
    for (const key of cells(box)) {
      if (!grid.has(key)) grid.set(key, []);
      grid.get(key).push(box);
    }
  };
  const free = (box) => {
    for (const key of cells(box)) for (const other of grid.get(key) ?? []) if (other.of !== box.of && overlaps(box, other)) return false;
    return true;
  };
  for (const box of taken) enter(box);
  points.forEach((p, index) => enter({ of: index, left: p.x - p.reach, right: p.x + p.reach, top: p.y - p.reach, bottom: p.y + p.reach }));
  const placed = [];
  points.forEach((p, index) => {
    const beside = p.reach + GAP;
    for (const [left, top] of [
      [p.x + beside, p.y - p.height / 2],
      [p.x - beside - p.width, p.y - p.height / 2],
      [p.x - p.width / 2, p.y + beside],
      [p.x - p.width / 2, p.y - beside - p.height],
    ]) {
      const box = { of: index, index, left, top, right: left + p.width, bottom: top + p.height };
      if (!free(box)) continue;
      enter({ ...box, of: -1 });
      placed.push(box);
      return;
    }
  });
  return placed;
}
