"""Pages of queues, numbers, phones and trunks: what is entered is kept as it was meant, and nobody else sees it."""

import pytest

from jilink.core.parties.rules import Role
from jilink.services.contact.models import Number, Phone, Queue, Trunk
from jilink.services.contact.pages.queue_forms import QueueForm
from jilink.services.contact.rules.design import read_design
from jilink.services.contact.rules.trunks import read_trunk
from tests.core.world import World
from tests.services.conftest import signed_in

pytestmark = [pytest.mark.usefixtures("site"), pytest.mark.once]


def filled(form: QueueForm) -> dict[str, object]:
    """What a browser posts of a form that is left as it is."""
    values = {bound.name: bound.value() for bound in form}
    return {name: value for name, value in values.items() if value is not None and value is not False and value != ""}


def test_a_queue_is_added_and_every_part_of_it_is_set(world: World) -> None:
    boss = signed_in(world, Role.SUPERVISOR, world.north)
    assert boss.post("/contact/queues/add/", {"organisation": world.north, "key": "Bills!", "name_zh": "账单"}).status_code == 400
    assert boss.post("/contact/queues/add/", {"organisation": world.north, "key": "bills", "name_zh": "账单"}).status_code == 302
    queue = Queue.objects.get()
    page = boss.get(f"/contact/queues/{queue.pk}/")
    given = filled(page.context["form"]) | {
        "level": 90,
        "skills": "bills 3， water_pipes",
        "spoken": "zh, ko",
        "step0_after": 60,
        "step0_without": "water_pipes",
        "step1_after": 30,
        "step1_any": "on",
        "codes": "report | 报修 | Report",
        "calendar": "china",
        "most_waiting": 7,
        "recording": "all",
    }
    assert boss.post(f"/contact/queues/{queue.pk}/", given).status_code == 302
    design = read_design(Queue.objects.get().design)
    assert design.level == 0.9 and design.skills == (("bills", 3), ("lang.ko", 1), ("lang.zh", 1), ("water_pipes", 1))
    softer = [(step.after_s, step.any_language, step.without) for step in design.softenings]
    assert softer == [(30, True, ()), (60, False, ("water_pipes",))]
    assert design.rule.most_waiting == 7 and design.calendar == "china" and design.codes[0].title.en == "Report"
    again = boss.post(f"/contact/queues/{queue.pk}/", given)
    assert again.status_code == 400 and "90" in again.content.decode()
    assert boss.get("/contact/queues/").status_code == 200
    assert signed_in(world, Role.OWNER, world.south).get(f"/contact/queues/{queue.pk}/").status_code == 404
    assert boss.post(f"/contact/queues/{queue.pk}/retire").status_code == 302 and Queue.objects.get().retired_at is not None


def test_a_number_leads_to_a_queue_of_one_organisation_and_then_of_another(world: World) -> None:
    boss = signed_in(world, Role.SUPERVISOR, world.north)
    for place, key in ((world.north, "above"), (world.depot, "below")):
        boss.post("/contact/queues/add/", {"organisation": place, "key": key, "name_zh": key})
    above, below = Queue.objects.order_by("pk")
    new = {"dialled": "0431 8888", "target": f"q:{world.north}:{above.pk}"}
    assert boss.post("/contact/numbers/add/", new).status_code == 302
    assert boss.post("/contact/numbers/add/", new).status_code == 400
    number = Number.objects.get()
    assert boss.post(f"/contact/numbers/{number.pk}/", {"target": f"q:{world.depot}:{below.pk}"}).status_code == 302
    number.refresh_from_db()
    assert (number.dialled, number.organisation_id, number.queue_id) == ("04318888", world.depot, below.pk)
    assert "04318888" in boss.get("/contact/numbers/").content.decode()
    assert boss.post(f"/contact/numbers/{number.pk}/remove").status_code == 302 and not Number.objects.exists()


def test_a_phones_password_is_on_one_page_and_no_other(world: World) -> None:
    boss, person = signed_in(world, Role.SUPERVISOR, world.north), world.person(Role.AGENT, world.north)
    shown = boss.post("/contact/phones/add/", {"organisation": world.north, "extension": "8001", "kind": "sip"})
    assert shown.status_code == 200 and "no-store" in shown["Cache-Control"]
    password = shown.context["login"].password
    assert password in shown.content.decode() and f"o{world.north}-8001" in shown.content.decode()
    phone = Phone.objects.get()
    assert password not in boss.get(f"/contact/phones/{phone.pk}/").content.decode()
    assert boss.post(f"/contact/phones/{phone.pk}/", {"user": person.pk, "caller": "04318001"}).status_code == 302
    phone.refresh_from_db()
    assert (phone.user_id, phone.caller, phone.enabled) == (person.pk, "04318001", False)
    assert boss.post(f"/contact/phones/{phone.pk}/password").context["login"].password != password
    assert boss.get("/contact/phones/").status_code == 200
    assert boss.post(f"/contact/phones/{phone.pk}/remove").status_code == 302 and not Phone.objects.exists()


def test_a_trunk_keeps_its_password_where_none_is_entered(world: World) -> None:
    boss = signed_in(world, Role.SUPERVISOR, world.north)
    given = {"organisation": world.north, "name": "Carrier", "register": "yes", "host": "sip.example", "transport": "udp", "user": "line7"}
    given |= {"password": "correct horse", "number_in": "uri", "numbers": "0431888*, 96000", "calls_out": "on"}
    assert boss.post("/contact/trunks/add/", given | {"user": ""}).status_code == 400
    assert boss.post("/contact/trunks/add/", given).status_code == 302
    trunk = Trunk.objects.get()
    page = boss.get(f"/contact/trunks/{trunk.pk}/").content.decode()
    assert "correct horse" not in page and "0431888*" in page
    assert boss.post(f"/contact/trunks/{trunk.pk}/", given | {"password": "", "based_on": 1, "most_calls": 30}).status_code == 302
    after = Trunk.objects.get()
    assert after.sealed == trunk.sealed and read_trunk(after.design).most_calls == 30
    assert boss.post(f"/contact/trunks/{trunk.pk}/switch", {"enabled": "no"}).status_code == 302 and not Trunk.objects.get().enabled
    assert boss.get("/contact/trunks/").status_code == 200
    assert boss.post(f"/contact/trunks/{trunk.pk}/remove").status_code == 302 and not Trunk.objects.exists()
