"""`jilink keys`: the keys that seal identity numbers and recordings."""

import typer

from jilink.core.parties.people import actions, sealing
from jilink.services.contact.actions import recordings
from jilink.site import preparation

_EPILOG = """
Example:

  jilink keys renew     after a key may have been seen, or once a year

Keys that come from JILINK_IDENTITY_KEYS are not written: put a new one at the end there, run this with --keep, then take the old ones out.
"""

app = typer.Typer(epilog=_EPILOG)


@app.callback()
def group() -> None:
    """Renew the keys that seal identity numbers and recordings."""


@app.command("renew")
def renew(
    keep: bool = typer.Option(False, "--keep", help="Make no new key and drop none; only seal with the last one what is not yet."),
) -> None:
    """Begin a new key, seal every identity number and recording with it, and drop the old ones. Stop Jilink before, start it after."""
    preparation.require_prepared()
    ring = sealing.keyring() if keep else sealing.begin_key()
    done = actions.seal_anew()
    rewrapped = recordings.wrap_anew()
    if not keep:
        sealing.drop_keys_before(ring.current)
    typer.echo(f"{done:,} identity numbers and the keys of {rewrapped:,} recordings are sealed anew, with the key {ring.current}.")
