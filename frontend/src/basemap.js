import "maplibre-gl/dist/maplibre-gl.css";
import * as maplibre from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { Protocol } from "pmtiles";
import { onPaletteChange, palette } from "./palette.js";

maplibre.setWorkerUrl(workerUrl);
maplibre.addProtocol("pmtiles", new Protocol().tile);

const FONTS = ["PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans", "sans-serif"];
const PREFECTURES = [220100, 220200, 220300, 220400, 220500, 220600, 220700, 220800, 222400];
export const JILIN = [
  [121.6, 40.8],
  [131.4, 46.4],
];

/** Lines of longitude and latitude, so that a close view of open land still has a scale and a direction. */
function graticule(step) {
  const lines = [];
  for (let lon = 121; lon <= 132; lon += step) lines.push([[lon, 40], [lon, 47]]);
  for (let lat = 40; lat <= 47; lat += step) lines.push([[121, lat], [132, lat]]);
  return { type: "Feature", properties: {}, geometry: { type: "MultiLineString", coordinates: lines } };
}

function style({ tiles, labels, attribution, english }) {
  const c = palette();
  const sources = { grid: { type: "geojson", data: graticule(0.1) } };
  const layers = [
    { id: "outside", type: "background", paint: { "background-color": tiles ? c.outside : c.province } },
  ];
  if (tiles) {
    sources.base = { type: "vector", url: `pmtiles://${tiles}`, attribution };
    const tint = ["match", ["get", "code"], ...PREFECTURES.flatMap((code, i) => [code, c.tints[i]]), c.province];
    layers.push(
      { id: "around", type: "fill", source: "base", "source-layer": "around", paint: { "fill-color": c.around, "fill-outline-color": c.county } },
      { id: "tint", type: "fill", source: "base", "source-layer": "prefecture", paint: { "fill-color": tint, "fill-antialias": false } },
      { id: "grid", type: "line", source: "grid", minzoom: 10, paint: { "line-color": c.grid, "line-width": 1 } },
      { id: "county", type: "line", source: "base", "source-layer": "county", minzoom: 6, paint: { "line-color": c.county, "line-width": ["interpolate", ["linear"], ["zoom"], 6, 0.5, 11, 1.2] } },
      { id: "prefecture", type: "line", source: "base", "source-layer": "prefecture", paint: { "line-color": c.prefecture, "line-width": ["interpolate", ["linear"], ["zoom"], 5, 0.7, 11, 2] } },
      { id: "border", type: "line", source: "base", "source-layer": "province", paint: { "line-color": c.border, "line-width": ["interpolate", ["linear"], ["zoom"], 5, 1.4, 11, 3] } },
    );
  } else {
    layers.push({ id: "grid", type: "line", source: "grid", paint: { "line-color": c.grid, "line-width": 1 } });
  }
  if (labels) {
    sources.labels = { type: "geojson", data: labels };
    const layout = (size) => ({ "text-field": ["get", english ? "name_en" : "name"], "text-size": size, "text-font": FONTS, "text-padding": 6, "text-max-width": 8 });
    const paint = (color) => ({ "text-color": color, "text-halo-color": c.halo, "text-halo-width": 1.6 });
    layers.push(
      { id: "county-label", type: "symbol", source: "labels", minzoom: 7.2, filter: ["all", ["==", ["get", "level"], "county"], ["any", ["==", ["get", "rank"], 1], [">=", ["zoom"], 9]]], layout: layout(["interpolate", ["linear"], ["zoom"], 7, 11.5, 11, 15]), paint: paint(c.label) },
      { id: "prefecture-label", type: "symbol", source: "labels", maxzoom: 11, filter: ["==", ["get", "level"], "prefecture"], layout: { ...layout(["interpolate", ["linear"], ["zoom"], 5, 13, 9, 18]), "text-anchor": "top", "text-offset": [0, 1.15] }, paint: paint(c.labelStrong) },
    );
  }
  return { version: 8, sources, layers };
}

export function canDraw() {
  return Boolean(document.createElement("canvas").getContext("webgl2"));
}

/**
 * Make a map in `container`, whose data attributes name the basemap (`tiles`, `labels`, either empty) and its attribution.
 * `own` adds the caller's layers, now and whenever light turns to dark.
 */
export function makeMap(container, { own = () => {}, bounds = JILIN, ...options }) {
  const { tiles, labels, attribution } = container.dataset;
  const base = () => style({
    tiles: tiles && new URL(tiles, location.href).href,
    labels: labels && new URL(labels, location.href).href,
    attribution,
    english: document.documentElement.lang === "en",
  });
  const map = new maplibre.Map({
    container,
    style: base(),
    bounds,
    fitBoundsOptions: { padding: 12 },
    localIdeographFontFamily: FONTS.map((font) => (font === "sans-serif" ? font : `"${font}"`)).join(", "),
    attributionControl: { compact: true },
    fadeDuration: 0,
    minZoom: 3.5,
    maxZoom: 18,
    dragRotate: false,
    pitchWithRotate: false,
    maxPitch: 0,
    locale: JSON.parse(document.getElementById("map-strings")?.textContent ?? "{}").controls ?? {},
    ...options,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibre.ScaleControl({ maxWidth: 110 }), "bottom-left");
  map.on("error", (event) => console.warn("map:", event.error?.message ?? event));
  map.on("style.load", own);
  onPaletteChange(() => map.setStyle(base(), { diff: false }));
  return map;
}

export { maplibre };
