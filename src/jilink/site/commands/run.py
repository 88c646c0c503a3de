"""`jilink run NAME`: one process in the foreground, for systemd, containers and the supervisor."""

import typer

from jilink.kernel.settings import Settings
from jilink.site import logs, processes

app = typer.Typer()

_EPILOG = """
Examples:

  jilink run spine          the bundled NATS server

  jilink run terminals      the terminal gateway, beside a NATS server named by JILINK_NATS_URL

SIGTERM or Ctrl-C stops it cleanly. SIGKILL loses nothing that was acknowledged.
"""


@app.command(epilog=_EPILOG)
def run(
    name: str = typer.Argument(help="One of: " + ", ".join(processes.PROCESSES), metavar="NAME"),
) -> None:
    """Run one process in the foreground until it is told to stop."""
    settings = Settings.from_environment()
    logs.configure(settings.log_format, name)
    processes.run_process(name, settings)
