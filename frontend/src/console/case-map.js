import { canDraw, makeMap, maplibre } from "../basemap.js";

const METRES_A_DEGREE = 111195;

/** A circle of so many metres around a point, as GeoJSON. */
export function circle(longitude, latitude, metres, corners = 48) {
  const east = metres / (METRES_A_DEGREE * Math.cos((latitude * Math.PI) / 180));
  const north = metres / METRES_A_DEGREE;
  const ring = Array.from({ length: corners + 1 }, (_, i) => {
    const turn = (i / corners) * 2 * Math.PI;
    return [longitude + east * Math.cos(turn), latitude + north * Math.sin(turn)];
  });
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}

function mark(map, point) {
  const marker = new maplibre.Marker({ color: getComputedStyle(document.documentElement).getPropertyValue("--accent").trim() });
  return marker.setLngLat(point).addTo(map);
}

/** Show where a case is: a mark, and how far the point may be off. */
export function showPlace(container) {
  container.hidden = !canDraw();
  if (container.hidden) return;
  const point = [Number(container.dataset.longitude), Number(container.dataset.latitude)];
  const accuracy = Number(container.dataset.accuracy);
  const own = ({ target }) => {
    if (!(accuracy > 0) || target.getSource("doubt")) return;
    target.addSource("doubt", { type: "geojson", data: circle(...point, accuracy) });
    target.addLayer({ id: "doubt", type: "fill", source: "doubt", paint: { "fill-color": "#1d5fa8", "fill-opacity": 0.16 } });
  };
  const map = makeMap(container, { own, bounds: null, center: point, zoom: 9.5 });
  map.scrollZoom.disable();
  mark(map, point);
}

/** Let somebody point at the place: the form's numbers follow the map, and the map follows the numbers. */
export function choosePlace(container, form, onPlaced) {
  container.hidden = !canDraw();
  if (container.hidden) return;
  const { latitude, longitude, accuracy_m: accuracy } = form.elements;
  const known = latitude.value && longitude.value ? [Number(longitude.value), Number(latitude.value)] : null;
  const map = makeMap(container, known ? { bounds: null, center: known, zoom: 11 } : {});
  map.getCanvas().style.cursor = "crosshair";
  let marker = known ? mark(map, known) : null;
  function put([x, y]) {
    marker = marker?.setLngLat([x, y]) ?? mark(map, [x, y]);
  }
  map.on("click", ({ lngLat }) => {
    put([lngLat.lng, lngLat.lat]);
    longitude.value = lngLat.lng.toFixed(6);
    latitude.value = lngLat.lat.toFixed(6);
    const metresAPixel = (40075017 * Math.cos((lngLat.lat * Math.PI) / 180)) / (512 * 2 ** map.getZoom());
    accuracy.value = String(Math.max(10, Math.round(metresAPixel * 6)));
    onPlaced();
  });
  for (const field of [latitude, longitude]) {
    field.addEventListener("change", () => {
      if (!latitude.value || !longitude.value) return;
      put([Number(longitude.value), Number(latitude.value)]);
      map.easeTo({ center: [Number(longitude.value), Number(latitude.value)] });
      onPlaced();
    });
  }
}
