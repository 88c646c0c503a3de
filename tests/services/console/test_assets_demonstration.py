"""The city office of the demonstration: in by one call, shown on pages, out without a row left."""

from django.apps import apps
from django.test import Client

from jilink.core.areas import actions as areas
from jilink.core.knowledge import reads as knowledge
from jilink.core.parties import access, reads
from jilink.core.parties.rules import Role
from jilink.site import demonstration
from tests.core.world import NOW, World
from tests.services.conftest import signed_in

KEPT = ("outbox_", "django_", "parties_", "areas_layer", "areas_area", "jilink_")


def rows() -> dict[str, int]:
    return {model._meta.db_table: model.objects.count() for model in apps.get_models() if not model._meta.db_table.startswith(KEPT)}


def test_the_office_is_loaded_shown_and_removed_without_a_row_left(world: World) -> None:
    areas.load_divisions(by=access.system("test"), now=NOW)
    client: Client = signed_in(world, Role.OWNER, world.north)
    before = rows()
    person = world.person(Role.OWNER, world.north)
    office = demonstration.load_office(person.pk, NOW)
    again = rows()
    assert demonstration.load_office(person.pk, NOW) == office and rows() == again
    actor = access.actor_of(person)
    assert {found.article.topics[0] for found in knowledge.find(actor, "稻瘟")} == {"水稻"}
    assert len(knowledge.find(actor, "frozen water meter")) == 1
    assert "人民大街 01 号灯" in client.get("/console/assets/?kind=street_lamp").content.decode()
    answers = client.get("/console/areas/?latitude=44.4&longitude=125.2&category=road.lamp").content.decode()
    assert f"<strong>{demonstration.LIGHT}</strong>" in answers
    demonstration._remove_office()
    assert rows() == before and reads.organisation_named(demonstration.OFFICE) is None
