const KEY = "jilink-side";

/** Let a person drag the line between list and map, or move it with the arrow keys; the width is remembered. */
export function resizable(line, side, changed) {
  const limit = (width) => Math.max(280, Math.min(width, innerWidth * 0.6));
  const set = (width) => {
    const kept = limit(width);
    side.style.setProperty("width", `${kept}px`);
    line.setAttribute("aria-valuenow", String(Math.round((kept / innerWidth) * 100)));
    try {
      localStorage.setItem(KEY, String(kept));
    } catch {
      // Private windows may refuse storage; the width then lasts as long as the page.
    }
    changed();
  };
  line.setAttribute("aria-valuemin", "10");
  line.setAttribute("aria-valuemax", "60");
  line.setAttribute("aria-valuenow", String(Math.round((side.offsetWidth / innerWidth) * 100)));
  let kept = 0;
  try {
    kept = Number(localStorage.getItem(KEY));
  } catch {
    kept = 0;
  }
  if (kept) set(kept);
  line.addEventListener("pointerdown", (event) => {
    line.setPointerCapture(event.pointerId);
    const move = (at) => set(at.clientX - side.getBoundingClientRect().left);
    line.addEventListener("pointermove", move);
    line.addEventListener("pointerup", () => line.removeEventListener("pointermove", move), { once: true });
  });
  line.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -24, ArrowRight: 24 }[event.key];
    if (!step) return;
    event.preventDefault();
    set(side.offsetWidth + step);
  });
}
