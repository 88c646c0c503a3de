const key = (box) => `${box.name}:${box.value}`;

/**
 * What is ticked in a list that is loaded anew under the person's hands: kept by value, not by element. `after(root)` puts it
 * back into fresh rows and forgets what is no longer there.
 */
export class Selection {
  constructor() {
    this.values = new Set();
  }

  /** Take in what a checkbox says now. */
  note(box) {
    if (box.checked) this.values.add(key(box));
    else this.values.delete(key(box));
  }

  /** Tick in fresh rows what was ticked before. */
  after(boxes) {
    const there = new Set();
    for (const box of boxes) {
      there.add(key(box));
      box.checked = this.values.has(key(box));
    }
    for (const value of [...this.values]) if (!there.has(value)) this.values.delete(value);
  }

  /** Whether all, none (false) or some (null) of the boxes are ticked. */
  all(boxes) {
    const ticked = boxes.filter((box) => this.values.has(key(box))).length;
    if (ticked === 0) return false;
    return ticked === boxes.length ? true : null;
  }
}
