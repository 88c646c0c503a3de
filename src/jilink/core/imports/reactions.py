"""What imports do when they are told to go on."""

from jilink.core.imports import taking
from jilink.core.imports.events import ImportCarriedOn
from jilink.core.outbox.registry import Context, reacts_to
from jilink.kernel.clock import utc_now


@reacts_to(ImportCarriedOn)
def carry_out(event: ImportCarriedOn, context: Context) -> None:
    """Take rows for a while."""
    taking.carry_out(job=event.job, lap=event.lap, clock=utc_now)
