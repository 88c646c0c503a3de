// Colours of what is drawn on the map, for light and dark. The state colours match the tokens in base.css.
const LIGHT = {
  outside: "#dfe4e6",
  around: "#e9ecec",
  province: "#fbfaf6",
  tints: ["#f3f6ee", "#f8f3ea", "#eef4f5", "#f7eff2", "#f2f5ea", "#eef0f6", "#f6f4ea", "#edf5f1", "#f4eff6"],
  county: "#c9c8be",
  prefecture: "#a39f90",
  border: "#7f7768",
  grid: "#d9dad2",
  label: "#45505a",
  labelStrong: "#26313a",
  halo: "#ffffff",
  disc: "#ffffff",
  discInk: "#17212b",
  ring: "#ffffff",
  states: ["#8a949d", "#15803d", "#d98a00", "#c92a2a", "#7d8a96"],
};
const DARK = {
  outside: "#0b1013",
  around: "#12191d",
  province: "#1b242a",
  tints: ["#1b2626", "#23241f", "#1a252b", "#241f27", "#1f261f", "#1e222c", "#242521", "#1a2724", "#221f2a"],
  county: "#33404a",
  prefecture: "#4f5f6a",
  border: "#71828e",
  grid: "#27323a",
  label: "#aab6c0",
  labelStrong: "#dbe3e9",
  halo: "#10171b",
  disc: "#1d272e",
  discInk: "#eef2f5",
  ring: "#0e1418",
  states: ["#7d8a96", "#4cc27f", "#f0b040", "#ff6b60", "#93a1ad"],
};
const dark = matchMedia("(prefers-color-scheme: dark)");

export function palette() {
  return dark.matches ? DARK : LIGHT;
}

export function onPaletteChange(change) {
  dark.addEventListener("change", () => change(palette()));
}

/** "#rrggbb" as three numbers from 0 to 1. */
export function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
}
