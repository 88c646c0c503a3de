"""The ladder's bells through the real relay: published when they are due, answered once."""

import pytest
from asgiref.sync import sync_to_async

from jilink.core.cases import reactions
from jilink.core.cases.models import Escalation
from jilink.core.outbox.models import OutboxEvent
from jilink.kernel.clock import utc_now
from jilink.spine.client import Spine
from tests.core.cases.office import Office, hours, kinds
from tests.core.world import relay, until


@pytest.mark.django_db(transaction=True)
async def test_a_bell_of_the_past_is_answered_once_and_one_of_the_future_waits(lasting_office: Office, spine: Spine) -> None:
    begun = utc_now() - hours(2.5)
    case = await sync_to_async(lasting_office.sent)("breakdown", begun)  # two hours for the rescue, three for the whole

    def answered() -> int:
        return Escalation.objects.filter(clock__case=case).count()

    async def rang() -> bool:
        return await sync_to_async(answered)() >= 3

    assert reactions.answer_bell  # the relay runs what is imported
    async with relay(spine):
        await until(rang)
    lines = await sync_to_async(kinds)(case)
    waiting = await sync_to_async(OutboxEvent.objects.filter(name="clock_rang", published_at=None).count)()
    assert lines.count("escalated") == 3  # the rescue's 80 % and due, the whole's 80 %
    assert waiting == 2  # the whole's due, and what comes an hour after it
