import "./assets.css";
import { JILIN, canDraw, makeMap, maplibre } from "../basemap.js";
import { palette } from "../palette.js";

const FONTS = ["PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans", "sans-serif"];
const GROUPS = ["#0f766e", "#b45309", "#1d5fa8", "#8a3ffc", "#c2255c", "#4d7c0f"];
const element = document.querySelector("[data-map]");

/** The same kind has the same colour on every map: a number of its key. */
function colourOf(key) {
  let sum = 0;
  for (const letter of key) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return GROUPS[sum % GROUPS.length];
}

function drawThings(map, data) {
  const c = palette();
  map.addSource("things", { type: "geojson", data, cluster: true, clusterRadius: 38, clusterMaxZoom: 13 });
  map.addLayer({ id: "cluster", type: "circle", source: "things", filter: ["has", "point_count"], paint: { "circle-color": c.disc, "circle-stroke-color": c.discInk, "circle-stroke-width": 1.5, "circle-radius": ["step", ["get", "point_count"], 14, 20, 18, 200, 24] } });
  map.addLayer({ id: "count", type: "symbol", source: "things", filter: ["has", "point_count"], layout: { "text-field": ["to-string", ["get", "point_count"]], "text-size": 13, "text-font": FONTS }, paint: { "text-color": c.discInk } });
  map.addLayer({ id: "thing", type: "circle", source: "things", filter: ["!", ["has", "point_count"]], paint: { "circle-color": ["get", "colour"], "circle-radius": 7, "circle-stroke-width": 2, "circle-stroke-color": c.ring } });
  map.addLayer({ id: "name", type: "symbol", source: "things", minzoom: 14, filter: ["!", ["has", "point_count"]], layout: { "text-field": ["get", "label"], "text-size": 12, "text-anchor": "top", "text-offset": [0, 0.8], "text-font": FONTS }, paint: { "text-color": c.label, "text-halo-color": c.halo, "text-halo-width": 1.5 } });
}

function boundsOf(features) {
  const box = new maplibre.LngLatBounds();
  for (const feature of features) box.extend(feature.geometry.coordinates);
  return features.length ? box : JILIN;
}

async function things() {
  const response = await fetch(element.dataset.source, { headers: { Accept: "application/geo+json" } });
  if (!response.ok || response.redirected) throw new Error(`status ${response.status}`);
  const data = await response.json();
  for (const feature of data.features) feature.properties.colour = colourOf(feature.properties.key);
  const map = makeMap(element, { own: () => drawThings(map, data), bounds: boundsOf(data.features), fitBoundsOptions: { padding: 50, maxZoom: 15 } });
  const layers = ["cluster", "thing"];
  map.on("click", async (event) => {
    const [hit] = map.queryRenderedFeatures(event.point, { layers });
    if (!hit) return;
    if (hit.properties.point_count) {
      const zoom = await map.getSource("things").getClusterExpansionZoom(hit.properties.cluster_id);
      map.easeTo({ center: hit.geometry.coordinates, zoom });
      return;
    }
    const link = document.createElement("a");
    link.href = element.dataset.one.replace(/0$/, hit.properties.id);
    link.textContent = hit.properties.label;
    const kind = document.createElement("p");
    kind.textContent = hit.properties.kind;
    const box = document.createElement("div");
    box.append(link, kind);
    new maplibre.Popup({ closeButton: false, maxWidth: "260px" }).setLngLat(hit.geometry.coordinates).setDOMContent(box).addTo(map);
  });
  map.on("mousemove", (event) => (map.getCanvas().style.cursor = map.queryRenderedFeatures(event.point, { layers: layers.filter((id) => map.getLayer(id)) }).length ? "pointer" : ""));
  window.jilinkAssets = { map, data };
}

function one() {
  const place = [Number(element.dataset.longitude), Number(element.dataset.latitude)];
  const map = makeMap(element, { bounds: null, center: place, zoom: 13 });
  new maplibre.Marker({ color: GROUPS[0] }).setLngLat(place).addTo(map);
}

function pick() {
  const latitude = document.getElementById(element.dataset.latitudeField);
  const longitude = document.getElementById(element.dataset.longitudeField);
  const place = () => (latitude.value && longitude.value && Math.abs(latitude.value) <= 90 ? [Number(longitude.value), Number(latitude.value)] : null);
  const map = makeMap(element, place() ? { bounds: null, center: place(), zoom: 14 } : {});
  const marker = new maplibre.Marker({ color: GROUPS[0], draggable: true });
  const show = () => (place() ? marker.setLngLat(place()).addTo(map) : marker.remove());
  const take = ({ lng, lat }) => {
    latitude.value = lat.toFixed(6);
    longitude.value = lng.toFixed(6);
    show();
  };
  map.on("click", (event) => take(event.lngLat));
  marker.on("dragend", () => take(marker.getLngLat()));
  for (const field of [latitude, longitude]) field.addEventListener("change", show);
  show();
}

if (element && canDraw()) {
  element.hidden = false;
  document.querySelector("[data-map-off]")?.remove();
  const start = { things, one, pick }[element.dataset.map];
  Promise.resolve(start()).catch((error) => console.warn("map:", error));
}
