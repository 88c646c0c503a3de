"""What assets do when something happened: keep the gateway's projection true, and note what terminals say of themselves."""

from jilink.core.assets import actions, projection
from jilink.core.assets.events import TerminalAdmitted, TerminalChanged, TerminalDismissed
from jilink.core.outbox.registry import Context, reacts_to
from jilink.core.parties.events import AdmissionPolicyChanged
from jilink.kernel.ids import AssetId
from jilink.spine.terminals import TerminalRegistered, TerminalSeen, TerminalSpoke


@reacts_to(TerminalAdmitted)
async def project_admitted(event: TerminalAdmitted, context: Context) -> None:
    """Let the gateway know a terminal it may admit."""
    await projection.project(context.spine, event.terminal)


@reacts_to(TerminalChanged)
async def project_changed(event: TerminalChanged, context: Context) -> None:
    """Let the gateway know what changed."""
    await projection.project(context.spine, event.terminal)


@reacts_to(TerminalDismissed)
async def project_dismissed(event: TerminalDismissed, context: Context) -> None:
    """Make the gateway forget a terminal, unless another asset has taken it over since."""
    await projection.project(context.spine, event.terminal)


@reacts_to(AdmissionPolicyChanged)
async def project_policy(event: AdmissionPolicyChanged, context: Context) -> None:
    """Let the gateway know whether unknown terminals may wait."""
    await projection.project_policy(context.spine)


@reacts_to(TerminalSeen)
def note_seen(event: TerminalSeen, context: Context) -> None:
    """Put a terminal nobody has entered on the list of those that wait."""
    actions.note_seen(
        phone=event.phone,
        terminal_id=event.terminal_id,
        maker=event.maker,
        model=event.model,
        plate=event.plate,
        year=event.year,
        at=context.envelope.occurred_at,
    )


@reacts_to(TerminalRegistered)
def note_registered(event: TerminalRegistered, context: Context) -> None:
    """Keep what a terminal said of itself when it registered."""
    actions.note_registered(
        asset=AssetId(event.asset),
        terminal_id=event.terminal_id,
        maker=event.maker,
        model=event.model,
        at=context.envelope.occurred_at,
        year=event.year,
    )


@reacts_to(TerminalSpoke)
def note_year(event: TerminalSpoke, context: Context) -> None:
    """Keep which edition of the standard a terminal speaks."""
    actions.note_year(asset=AssetId(event.asset), year=event.year, at=context.envelope.occurred_at)
