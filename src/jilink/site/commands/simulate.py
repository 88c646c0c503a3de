"""`jilink simulate`: pretend terminals over real TCP."""

import asyncio
import multiprocessing
import signal
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import structlog
import typer
from rich.console import Console

from jilink.kernel.settings import Settings, SettingsRefused, addresses
from jilink.simulator.crowd import Crowd, Figures
from jilink.simulator.register import register
from jilink.simulator.terminal import Habits
from jilink.site import logs

_EPILOG = """
Examples:

  jilink simulate terminals                          200 vehicles against this machine's gateway

  jilink simulate terminals --count 5000 --rate 5000 --processes 2

  jilink simulate terminals --server gateway.example.cn:7611 --count 10 --seconds 600

The register is the same for the same seed: `jilink demo load` enters these vehicles.
"""

app = typer.Typer(epilog=_EPILOG)
log = structlog.get_logger(__name__)
SAY_EVERY_S = 15.0


@app.callback()
def simulate() -> None:
    """Drive pretend devices against a running installation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one process simulates: the vehicles `first` to `first + count` of a seed."""

    first: int
    count: int
    seed: int
    host: str
    port: int
    habits: Habits
    seconds: float
    connects_per_s: float
    give_up_s: float
    log_format: str


@app.command("terminals", epilog=_EPILOG)
def terminals(
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many terminals.")] = 200,
    server: Annotated[str, typer.Option(help="Gateway to connect to, host:port; this machine's by default.")] = "",
    interval: Annotated[float, typer.Option(min=0.05, help="Seconds between two positions of one terminal.")] = 15.0,
    rate: Annotated[float, typer.Option(min=0.0, help="Positions a second of all together; sets the interval.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another register of vehicles.")] = 1,
    first: Annotated[int, typer.Option(min=0, help="Number of the first vehicle of the register.")] = 0,
    seconds: Annotated[float, typer.Option(min=0.0, help="Stop after this many seconds; 0 goes on until Ctrl-C.")] = 0.0,
    tunnels: Annotated[float, typer.Option(min=0.0, help="Mean seconds between two losses of the network; 0 for none.")] = 5400.0,
    alarms: Annotated[float, typer.Option(min=0.0, help="Mean seconds between two alarms of one vehicle; 0 for none.")] = 7200.0,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Spread the terminals over so many processes.")] = 1,
    give_up: Annotated[
        float, typer.Option(min=0.0, help="End after so many seconds in which every terminal was refused (one process); 0 never.")
    ] = 0.0,
    ramp: Annotated[float, typer.Option(min=1.0, help="New connections a second at the start.")] = 200.0,
) -> None:
    """Drive pretend JT/T 808 terminals (2013 and 2019 mixed) on the roads of Jilin."""
    settings = Settings.from_environment()
    host, port = _server(server, settings)
    habits = Habits(report_s=count / rate if rate else interval, tunnel_every_s=tunnels, alarm_every_s=alarms)
    bounds = [first + count * number // processes for number in range(processes + 1)]
    tasks = [
        Task(
            first=start,
            count=end - start,
            seed=seed,
            host=host,
            port=port,
            habits=habits,
            seconds=seconds,
            connects_per_s=ramp / processes,
            give_up_s=give_up if processes == 1 else 0.0,
            log_format=settings.log_format,
        )
        for start, end in pairwise(bounds)
        if end > start
    ]
    spawn = multiprocessing.get_context("spawn")
    others = [spawn.Process(target=_run, args=(task,), daemon=True) for task in tasks[1:]]
    for other in others:
        other.start()
    try:
        _run(tasks[0])
    finally:
        for other in others:
            other.terminate()
            other.join()


def _server(text: str, settings: Settings) -> tuple[str, int]:
    named = addresses(text or settings.terminals)
    if not named:
        raise SettingsRefused("no gateway is named: give --server host:port")
    host, port = named[0]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104 -- compared, not bound


def _run(task: Task) -> None:
    logs.configure(task.log_format, "simulator")
    asyncio.run(_drive(task))


async def _drive(task: Task) -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    vehicles = register(task.count, task.seed, first=task.first)
    console = Console()
    began = said = time.monotonic()
    async with Crowd(vehicles, task.host, task.port, habits=task.habits, connects_per_s=task.connects_per_s) as crowd:
        log.info("simulator.started", terminals=task.count, server=f"{task.host}:{task.port}", every_s=round(task.habits.report_s, 3))
        with console.status("") as status:
            before = crowd.figures()
            hopeful = began
            while not told.is_set() and not (task.seconds and time.monotonic() - began >= task.seconds):
                try:
                    await asyncio.wait_for(told.wait(), 1.0)
                except TimeoutError:
                    now = crowd.figures()
                    status.update(_line(now, now.acknowledged - before.acknowledged))
                    before = now
                    hopeful = hopeful if now.all_refused else time.monotonic()
                if task.give_up_s and time.monotonic() - hopeful >= task.give_up_s:
                    log.info("simulator.ends", because="the platform refuses every terminal: they are not, or no longer, registered")
                    break
                if not console.is_terminal and time.monotonic() - said >= SAY_EVERY_S:
                    said = time.monotonic()
                    _say(crowd.figures())
        _say(crowd.figures())


def _line(figures: Figures, rate: int) -> str:
    refused = f"  [yellow]{figures.refused} refused[/]" if figures.refused else ""
    return (
        f"{figures.online}/{figures.terminals} online{refused}  {rate}/s acknowledged  "
        f"{figures.acknowledged} in all  {figures.waiting} waiting"
    )


def _say(figures: Figures) -> None:
    log.info(
        "simulator.stands",
        online=figures.online,
        terminals=figures.terminals,
        refused=figures.refused,
        acknowledged=figures.acknowledged,
        waiting=figures.waiting,
        connects=figures.connects,
    )
