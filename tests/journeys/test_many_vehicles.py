"""A province's whole fleet on one map: every vehicle is there, and the map stays usable. Prints what it measured."""

import base64
import struct

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.journeys.waiting import until

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]

SNAPSHOT, CHANGES, ORGANISATION = 1, 2, 4_000_000_001
BOX = (121.0, 40.5, 11.0, 6.0)
MEASURE = """
async ({frames, centre}) => {
  const decode = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const {fleet, map} = jilinkMap;
  const gl = map.map.getCanvas().getContext("webgl2");
  const pixel = new Uint8Array(4);
  const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
    done();
  })));
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  map.map.jumpTo(centre);
  await drawn();
  const updates = [];
  const script = [];
  for (const frame of frames) {
    const bytes = decode(frame);
    const before = performance.now();
    if (!fleet.apply(bytes)) throw new Error("a frame was refused");
    map.update();
    script.push(performance.now() - before);
    await drawn();
    updates.push(performance.now() - before);
  }
  const pans = [];
  for (let i = 0; i < 30; i++) {
    const before = performance.now();
    map.map.jumpTo({center: [centre.center[0] + 0.02 * Math.sin(i), centre.center[1]]});
    await drawn();
    pans.push(performance.now() - before);
  }
  const clusters = map.overlay.clusters.reduce((sum, one) => sum + one.count, 0);
  const single = map.layer.hidden.reduce((sum, hidden) => sum + (hidden ? 0 : 1), 0);
  const times = {update_ms: median(updates), script_ms: median(script), pan_ms: median(pans)};
  return {n: fleet.n, unseen: fleet.counts()[0], clusters, single, ...times};
}
"""


def column(values: np.ndarray, kind: str) -> bytes:
    data = values.astype(kind).tobytes()
    return data + b"\0" * (-len(data) % 4)


def frame(kind: int, tick: int, keys: np.ndarray, lon: np.ndarray, lat: np.ndarray, states: np.ndarray) -> str:
    """Write a map frame from its description, in base64."""
    x = ((lon - BOX[0]) / BOX[2] * (1 << 20)).astype(np.int64)
    y = ((lat - BOX[1]) / BOX[3] * (1 << 20)).astype(np.int64)
    head = struct.pack("<BBHIIIffff", kind, 1, 0, ORGANISATION, tick, len(keys), *BOX)
    first = column(keys, "<u4") if kind == SNAPSHOT else column(np.diff(keys, prepend=0), "<u2")
    courses = np.arange(len(keys)) % 256
    small = [(x & 15) << 4 | (y & 15), courses, courses % 120, states]
    body = first + column(x >> 4, "<u2") + column(y >> 4, "<u2") + b"".join(column(each, "u1") for each in small)
    return base64.b64encode(head + body).decode()


def frames_of(count: int) -> list[str]:
    """Return a snapshot of so many vehicles, and twelve changes of a tenth of them."""
    random = np.random.default_rng(1)
    towns = np.array([(125.32, 43.89), (126.55, 43.84), (124.37, 43.17), (124.83, 45.14), (122.84, 45.62), (129.51, 42.89)])
    home = random.integers(0, len(towns), count)
    lon, lat = towns[home, 0] + random.normal(0, 0.3, count), towns[home, 1] + random.normal(0, 0.2, count)
    states = random.choice([1, 2, 3, 4], count, p=[0.55, 0.2, 0.02, 0.23])
    found = [frame(SNAPSHOT, 1, np.arange(count) + 1_000_000, lon, lat, states)]
    for tick in range(2, 14):
        some = np.sort(random.choice(count, count // 10, replace=False))
        lon[some] += 0.0004
        found.append(frame(CHANGES, tick, some, lon[some], lat[some], states[some]))
    return found


@pytest.mark.parametrize(("count", "zoom"), [(10_000, 6.2), (10_000, 12.0), (100_000, 6.2)])
def test_a_large_fleet_is_all_on_the_map_and_moves(page: Page, count: int, zoom: float) -> None:
    page.goto("/vehicles/")
    until(page, "window.jilinkMap && jilinkMap.connected && jilinkMap.map && jilinkMap.map.map.loaded()")
    found = page.evaluate(MEASURE, {"frames": frames_of(count), "centre": {"center": [125.32, 43.89], "zoom": zoom}})
    print(f"\n{count} vehicles at zoom {zoom}: {found}")  # noqa: T201 -- a measurement, shown with -rP or -s
    assert found["n"] >= count
    assert found["clusters"] + found["single"] == found["n"] - found["unseen"]
    assert found["update_ms"] < 5_000
