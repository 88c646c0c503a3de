import "./assets.css";
import "./areas.css";
import "./knowledge-typed.js";
import htmx from "htmx.org";
import { JILIN, canDraw, makeMap, maplibre } from "../basemap.js";
import { palette } from "../palette.js";

const FONTS = ["PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans", "sans-serif"];
const element = document.querySelector("[data-map]");
const EMPTY = { type: "FeatureCollection", features: [] };

function draw(map, data) {
  const c = palette();
  map.addSource("areas", { type: "geojson", data });
  map.addLayer({ id: "area", type: "fill", source: "areas", paint: { "fill-color": "#0f766e", "fill-opacity": 0.1 } });
  map.addLayer({ id: "area-line", type: "line", source: "areas", paint: { "line-color": "#0f766e", "line-width": 1.6 } });
  map.addLayer({ id: "area-name", type: "symbol", source: "areas", layout: { "text-field": ["get", "name"], "text-size": 13, "text-font": FONTS, "text-padding": 4 }, paint: { "text-color": c.labelStrong, "text-halo-color": c.halo, "text-halo-width": 1.6 } });
}

function boundsOf(data) {
  const box = new maplibre.LngLatBounds();
  const walk = (part) => (typeof part[0] === "number" ? box.extend(part) : part.forEach(walk));
  for (const feature of data.features) walk(feature.geometry.coordinates);
  return data.features.length ? box : JILIN;
}

function areas() {
  const choice = document.getElementById("drawn");
  document.querySelector("[data-map-on]").hidden = !choice.options.length;
  const latitude = document.getElementById("latitude");
  const longitude = document.getElementById("longitude");
  let data = EMPTY;
  const map = makeMap(element, { own: () => draw(map, data) });
  const marker = new maplibre.Marker({ color: "#b45309" });
  if (latitude.value && longitude.value) marker.setLngLat([Number(longitude.value), Number(latitude.value)]).addTo(map);
  async function load() {
    if (!choice.value) return;
    const response = await fetch(choice.value, { headers: { Accept: "application/geo+json" } });
    if (!response.ok || response.redirected) return;
    data = await response.json();
    map.getSource("areas")?.setData(data);
  }
  choice.addEventListener("change", load);
  load();
  map.on("click", ({ lngLat }) => {
    latitude.value = lngLat.lat.toFixed(5);
    longitude.value = lngLat.lng.toFixed(5);
    marker.setLngLat(lngLat).addTo(map);
    const category = document.getElementById("category").value;
    const query = new URLSearchParams({ latitude: latitude.value, longitude: longitude.value, category });
    htmx.ajax("GET", `${element.dataset.page}?${query}`, { target: "#point" });
  });
  window.jilinkAreas = { map };
}

function preview() {
  const data = JSON.parse(document.getElementById("area-preview").textContent);
  const map = makeMap(element, { own: () => draw(map, data), bounds: boundsOf(data), fitBoundsOptions: { padding: 40, maxZoom: 15 } });
}

if (element && canDraw()) {
  element.hidden = false;
  document.querySelector("[data-map-off]")?.remove();
  ({ areas, preview })[element.dataset.map]();
}
