import { canDraw } from "./basemap.js";
import { Fleet } from "./fleet.js";
import { FleetMap } from "./fleet-map.js";
import { STATES } from "./frames.js";
import { follow } from "./stream.js";
import { badge, showLink } from "./words.js";

const find = (id) => document.getElementById(id);
const here = find("here");
const button = find("follow");
const asset = Number(here.dataset.asset);
const fleet = new Fleet();
let map = null;
let placed = false;

function paint() {
  const slot = fleet.slots.get(asset);
  if (slot === undefined || fleet.state[slot] === 0) return;
  if (!find("state").querySelector(`.badge-${STATES[fleet.state[slot]]}`)) find("state").replaceChildren(badge(STATES[fleet.state[slot]]));
  const speed = find("speed")?.querySelector(".num");
  if (speed) speed.textContent = String(fleet.speed[slot]);
  if (!map) return;
  if (!placed) {
    placed = true;
    map.following = true;
    map.filter((each) => fleet.asset[each] === asset);
    map.choose(asset, here.dataset.plate, { move: false });
    map.map.jumpTo({ center: map.place(slot), zoom: 13 });
  }
  map.update();
}

if (canDraw()) {
  here.hidden = false;
  const stopped = () => button.setAttribute("aria-pressed", "false");
  map = new FleetMap(find("fleet"), fleet, { clusters: false, onMove: stopped });
  button.addEventListener("click", () => {
    map.following = !map.following;
    button.setAttribute("aria-pressed", String(map.following));
    const slot = fleet.slots.get(asset);
    if (map.following && slot !== undefined && fleet.state[slot] !== 0) map.map.easeTo({ center: map.place(slot) });
  });
}

const stream = follow(find("fleet").dataset.live, {
  onState: (state, seconds) => showLink(find("link-state"), state, seconds),
  onMessage(message) {
    if (fleet.apply(message)) paint();
    else stream.again();
  },
});
