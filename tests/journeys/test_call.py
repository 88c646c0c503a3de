"""A caller over a trunk, the engine, the router and an agent with a phone in the browser: who hears whom is measured by tones."""

import asyncio
import shutil
import socket
import subprocess
import threading
import wave
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from jilink.kernel.settings import Settings
from jilink.spine import calls, subjects
from jilink.spine.client import connect
from tests.edges.voice.conftest import MISSING
from tests.edges.voice.phone import Call, Phone
from tests.journeys.staff import somebody
from tests.journeys.system import System, Things
from tests.journeys.test_access import RULES
from tests.site.installation import until

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
CALLER, AGENT, DIALLED, NUMBER = 440.0, 1000.0, "95001", "13904310001"
LOUD = 1000
ADDRESS = "10.77.0.1"
HEARD = """async () => {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 8192 });
  const sound = document.getElementById("phone-sound").srcObject;
  context.createMediaStreamSource(sound).connect(analyser);
  const bins = new Float32Array(analyser.frequencyBinCount);
  let found = 0;
  for (let tries = 0; tries < 60 && Math.abs(found - 440) > 15; tries += 1) {
    await new Promise((done) => setTimeout(done, 100));
    analyser.getFloatFrequencyData(bins);
    const best = bins.reduce((most, level, at) => (level > bins[most] ? at : most), 1);
    found = bins[best] > -70 ? (best * context.sampleRate) / 8192 : 0;
  }
  await context.close();
  return found;
}"""
"""What is loudest in the browser's ear, in Hz."""
T = TypeVar("T")


class Loop:
    """The caller's own event loop, beside the browser's."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, work: Coroutine[object, object, T], patience_s: float = 60.0) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(patience_s)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


@pytest.fixture
def way() -> Iterator[None]:
    """An address that browser and engine can speak over: engines offer none of 127.0.0.0/8 (RFC 8445, 5.1.1.1)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            if not probe.getsockname()[0].startswith("127."):
                yield
                return
        except OSError:
            pass
    added = subprocess.run(["ip", "addr", "add", f"{ADDRESS}/32", "dev", "lo"], check=False, capture_output=True).returncode == 0
    try:
        socket.create_server((ADDRESS, 0)).close()
    except OSError:
        pytest.skip("the browser phone needs an address beside 127.0.0.1 and none may be added here")
    yield
    if added:
        subprocess.run(["ip", "addr", "del", f"{ADDRESS}/32", "dev", "lo"], check=True)


@pytest.fixture
def floor_browser(browser: Browser, chromium: str, tmp_path: Path) -> Iterator[Browser]:
    """A browser whose microphone gives the agent's tone."""
    path = tmp_path / "agent.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        samples = 12000 * np.sin(2 * np.pi * AGENT * np.arange(48000) / 48000)
        file.writeframes(samples.astype("<i2").tobytes())
    arguments = [
        "--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}",
        "--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection",
        "--disable-features=WebRtcHideLocalIpsWithMdns",
    ]  # fmt: skip
    opened = browser.browser_type.launch(executable_path=chromium, args=arguments)
    yield opened
    opened.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


@contextmanager
def carrier(loop: Loop, system: System) -> Iterator[Phone]:
    """A carrier's exchange with the caller's tone, let in as a trunk."""
    settings = Settings.from_environment(system.environment)
    host, port = settings.voice_sip.rsplit(":", 1)

    async def opened() -> Phone:
        phone = await Phone("127.0.0.2", (host, int(port)), hz=CALLER).open()
        async with connect(settings, name="journey") as spine:
            trunk = calls.Trunk(addresses=("127.0.0.2",), host=f"127.0.0.2:{phone.port}", codecs=("ulaw",), headers=True)
            await spine.bucket(subjects.TRUNKS).put("t1", calls.encode(trunk))
        return phone

    phone = loop.run(opened())
    yield phone
    loop.loop.call_soon_threadsafe(phone.close)


def call_in(loop: Loop, phone: Phone) -> Call:
    """Call until the engine, which may only be learning of the trunk, lets the call in."""
    made: list[Call] = []

    def let_in() -> bool:
        made.append(loop.run(phone.call(DIALLED, NUMBER)))
        until(lambda: made[-1].state != "begun", "an answer", 20)
        return made[-1].state in ("ringing", "up")

    until(let_in, "the call is let in", 30)
    return made[-1]


def both_hear(page: Page, call: Call) -> None:
    assert page.evaluate(HEARD) == pytest.approx(CALLER, abs=15)
    moment = call.heard[-1][0] if call.heard else 0.0
    until(lambda: call.hears(AGENT, moment) > LOUD, "the caller hears the agent", 10)


def fits(page: Page) -> None:
    """Everyone can use the desk as it is now, on a desk and on a phone."""
    for size in ({"width": 390, "height": 844}, {"width": 1366, "height": 850}):
        page.set_viewport_size(size)
        found = Axe().run(page, options=RULES).response["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_agent_answers_in_the_browser_keeps_the_call_over_a_reload_and_notes_it_on_the_case(
    floor_browser: Browser, system: System, desk: Things, loop: Loop, way: None
) -> None:
    if "JILINK_VOICE_ROOT" not in system.environment or shutil.which("ip") is None:
        pytest.skip(MISSING)
    made = system.furnish("hotline", top=str(desk["top"]), dialled=DIALLED, caller=NUMBER)
    with carrier(loop, system) as phone, somebody(floor_browser, system, "desk-one") as page:
        page.context.grant_permissions(["microphone"])
        page.goto("/contact/desk/")
        page.get_by_role("button", name="Connect the phone").click()
        page.wait_for_selector("#phone-state[data-state=connected]")
        page.get_by_role("button", name="Begin work").click()
        page.wait_for_selector("#desk-state[data-state=ready]")
        call = call_in(loop, phone)
        page.get_by_role("button", name="Answer the call").wait_for()
        expect(page.locator(".desk-ringing")).to_contain_text("Ma Li")
        expect(page.locator(".desk-ringing")).to_contain_text("Her lamp is dark")
        fits(page)
        page.keyboard.press("Enter")
        page.wait_for_selector(".desk-talking")
        fits(page)
        both_hear(page, call)
        page.fill("textarea[name=note]", "She will be called tomorrow.")
        page.reload()
        page.wait_for_selector("#phone-talks:not([hidden])")
        both_hear(page, call)
        page.get_by_role("button", name="Hang up").click()
        page.wait_for_selector(".desk-wrapping")
        until(lambda: call.state == "ended", "the caller is hung up on", 10)
        fits(page)
        page.select_option("select[name=code]", "report")
        page.get_by_role("button", name="Save and finish").click()
        page.wait_for_selector("[data-key=nobody]")
        page.goto(f"/console/cases/{made['case']}")
        expect(page.locator("#story")).to_contain_text("She will be called tomorrow.")
