"""What the preparing process of `bench.calls` does: agents with telephones, queues, numbers, a trunk. Django is set up before."""

import json
import sys
from pathlib import Path

from jilink.core.parties import access, actions, walls
from jilink.core.parties.accounts import add_accounts
from jilink.core.parties.rules import Role
from jilink.kernel.texts import Text
from jilink.services.contact.actions import designing
from jilink.services.contact.actions.trunks import add_trunk
from jilink.services.contact.models import Phone
from jilink.services.contact.rules.design import QueueDesign, Recording
from jilink.services.contact.rules.trunks import TrunkDesign
from jilink.site.bench.callers import CARRIER, PLAIN, RECORDED


def main() -> None:
    """Enter as many agents as the first argument says; write who they are to the file that the second names."""
    walls.open_process()
    count, found = int(sys.argv[1]), Path(sys.argv[2])
    organisation = actions.add_organisation(name="Bench", by=access.system("bench"))
    by = access.system("bench")
    for key, dialled, recording in (("plain", PLAIN, Recording.NONE), ("recorded", RECORDED, Recording.ALL)):
        design = QueueDesign(name=Text(key, key), wrap_up_s=0, recording=recording)
        queue = designing.add_queue(organisation=organisation, key=key, design=design, by=by)
        designing.set_number(organisation=organisation, dialled=dialled, queue=queue, by=by)
    add_trunk(organisation=organisation, name="Carrier", design=TrunkDesign(addresses=(CARRIER,), codecs=("ulaw",)), by=by)
    names = {f"agent-{number}": f"Agent {number}" for number in range(count)}
    agents = []
    for number, account in enumerate(add_accounts(names=names, password="a password of the bench", by=by).values()):  # noqa: S106 -- of a throw-away installation
        actions.set_role(user=account, organisation=organisation, role=Role.AGENT, by=by)
        extension = str(3000 + number)
        password = designing.add_phone(organisation=organisation, extension=extension, user=account, by=by)
        phone = Phone.objects.get(extension=extension).pk
        agents.append({"account": account, "phone": phone, "user": f"o{organisation}-{extension}", "password": password})
    found.write_text(json.dumps({"organisation": organisation, "agents": agents}))
