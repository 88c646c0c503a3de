"""100,000 vehicles in a real browser: the map open, the fleet moving, fed by a real watch and the real live stream.

Chromium draws by software here, so a machine with a graphics card is quicker. A tenth of the vehicles move each second. "Frame" is the time
between two animation frames, which is what a person sees; the scripts' part is measured beside it.
"""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jilink.kernel.clock import utc_now
from jilink.site.bench.figures import Figure, NotMeasured
from jilink.site.bench.installation import Installation, MapReader, Viewer
from jilink.site.bench.livemap import SHARE_MOVING, VEHICLES, Province
from jilink.site.bench.rig import RigFailed
from jilink.spine import arrow, subjects
from jilink.spine.bridge import SpineThread

if TYPE_CHECKING:
    from playwright.sync_api import Page

SOFTWARE_GL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
SECONDS = 5.0
BATCH_ROWS = 10_000
READY_WITHIN_S = 120.0
CENTRE = {"center": [126.2, 43.7], "zoom": 6.5}
CLOSE = {"center": [125.32, 43.89], "zoom": 10.5}

MEASURE = """
async ({seconds, pan}) => {
  const {fleet, map} = jilinkMap;
  const own = map.update.bind(map), apply = fleet.apply.bind(fleet);
  const scripts = [], frames = [];
  let pending = 0;
  fleet.apply = (bytes) => { const t = performance.now(); const done = apply(bytes); pending += performance.now() - t; return done; };
  map.update = () => { const t = performance.now(); own(); scripts.push(pending + performance.now() - t); pending = 0; };
  const [lng, lat] = pan ? map.map.getCenter().toArray() : [0, 0];
  const began = performance.now();
  let last = began;
  while (last - began < 1000 * seconds) {
    if (pan) map.map.jumpTo({center: [lng + 0.15 * Math.sin((last - began) / 700), lat + 0.08 * Math.cos((last - began) / 900)]});
    else map.map.triggerRepaint();
    await new Promise((done) => map.map.once("render", () => requestAnimationFrame(done)));
    const now = performance.now();
    frames.push(now - last);
    last = now;
  }
  delete map.update;
  delete fleet.apply;
  return {n: fleet.n, frames, scripts};
}
"""
SHOWN = "() => Boolean(window.jilinkMap && jilinkMap.connected && jilinkMap.map && jilinkMap.map.map.loaded()) && jilinkMap.fleet.n"

Say = Callable[[str], None]


def measure(runs: int, say: Say, *, vehicles: int = VEHICLES) -> list[Figure]:
    """Return the figures of the browser. Raises NotMeasured where chromium or playwright is missing."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise NotMeasured("the browser needs chromium: apt-get install chromium fonts-noto-cjk")
    try:
        playwright = import_module("playwright.sync_api")
    except ModuleNotFoundError:
        raise NotMeasured("the browser is driven by playwright: pip install playwright") from None
    with tempfile.TemporaryDirectory(prefix="jilink-bench-") as name:
        installation = Installation(Path(name) / "data")
        say(f"browser: entering {vehicles:,} vehicles")
        installation.prepare("--demo", str(vehicles))
        with installation.spine(None), installation.processes(("watch", "web")):
            viewer = installation.viewer()
            with _moving(installation, viewer, vehicles, say), playwright.sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=chromium, args=[*SOFTWARE_GL, *_as_root()])
                try:
                    return _looked(browser, installation, viewer, vehicles, runs, say)
                finally:
                    browser.close()


def _as_root() -> list[str]:
    """Chromium's sandbox refuses root."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []


def _looked(browser: Any, installation: Installation, viewer: Viewer, vehicles: int, runs: int, say: Say) -> list[Figure]:  # noqa: ANN401 -- playwright is imported only where it is there
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai")
    context.add_cookies([{"name": name, "value": value, "url": installation.address} for name, value in viewer.cookies.items()])
    page = context.new_page()
    say("browser: opening the map")
    began = time.perf_counter()
    page.goto(f"{installation.address}/vehicles/")
    _until_shown(page, vehicles)
    figures = [Figure(_subject(vehicles), "page opened until every vehicle is on the map", "s", (time.perf_counter() - began,))]
    for place, view in (("the province", CENTRE), ("one city", CLOSE)):
        page.evaluate("(view) => jilinkMap.map.map.jumpTo(view)", view)
        for doing, pan in (("watching", False), ("panning", True)):
            found: list[Mapping[str, Sequence[float]]] = []
            for number in range(runs):
                say(f"browser: {doing} {place}, run {number + 1} of {runs}")
                found.append(page.evaluate(MEASURE, {"seconds": SECONDS, "pan": pan}))
            name = f"{doing} {place}"
            figures += [
                Figure(_subject(vehicles), f"{name}: a frame, half within", "ms", _part(found, "frames", 50)),
                Figure(_subject(vehicles), f"{name}: a frame, 95 of 100 within", "ms", _part(found, "frames", 95)),
                Figure(_subject(vehicles), f"{name}: scripts for an update, half within", "ms", _part(found, "scripts", 50)),
            ]
    return figures


def _subject(vehicles: int) -> str:
    return f"Browser: {vehicles:,} vehicles on the map, a tenth of them move each second, drawn by software"


def _part(found: Sequence[Mapping[str, Sequence[float]]], name: str, part: float) -> tuple[float, ...]:
    return tuple(float(np.percentile(run[name], part)) if run[name] else 0.0 for run in found)


def _until_shown(page: "Page", vehicles: int) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while (page.evaluate(SHOWN) or 0) < vehicles:
        if time.monotonic() > deadline:
            raise RigFailed("the map did not show every vehicle in time")
        page.wait_for_timeout(100)


@contextmanager
def _moving(installation: Installation, viewer: Viewer, vehicles: int, say: Say) -> Iterator[None]:
    """Give every vehicle of the installation a place and let a tenth of them move each second."""
    say("browser: reading who there is")
    province = _province(viewer, vehicles)
    spine = SpineThread(installation.settings, "bench")
    spine.wait_ready(READY_WITHIN_S)
    stopping = threading.Event()
    subject = subjects.positions("bench")

    def drive() -> None:
        share = int(vehicles * SHARE_MOVING / 4)
        while not stopping.wait(0.25):
            spine.publish(subject, arrow.encode(province.moved(share, _now_ms())))

    try:
        whole = province.everyone(_now_ms())
        for first in range(0, vehicles, BATCH_ROWS):
            spine.publish(subject, arrow.encode(whole.slice(first, BATCH_ROWS)))
        driver = threading.Thread(target=drive, daemon=True)
        driver.start()
        yield
        stopping.set()
        driver.join()
    finally:
        stopping.set()
        spine.stop()


def _province(viewer: Viewer, vehicles: int) -> Province:
    """Return the vehicles that the live stream tells of, nowhere yet."""
    reader = MapReader()
    frames = viewer.live()
    while sum(shown.assets.size for shown in reader.shown.values()) < vehicles:
        reader.take(next(frames))
    assets = np.concatenate([shown.assets for shown in reader.shown.values()])
    organisations = np.concatenate([np.full(shown.assets.size, organisation) for organisation, shown in reader.shown.items()])
    return Province(assets, organisations.astype(np.int64))


def _now_ms() -> int:
    return int(utc_now().timestamp() * 1000)
