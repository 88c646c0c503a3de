"""Open cases nearby are found however many there are elsewhere."""

from jilink.core.cases.models import Case
from jilink.core.cases.reads.near import open_near
from jilink.core.cases.rules.form import Place
from jilink.core.parties.access import Actor
from tests.core.cases.office import MONDAY, Office

LATITUDE, LONGITUDE, DEGREE = 43.88, 125.32, 111_195.0


def at(office: Office, north_m: float) -> int:
    return office.open(place=Place(latitude=LATITUDE + north_m / DEGREE, longitude=LONGITUDE))


def many_elsewhere(like: int, count: int) -> None:
    """Copy a case, so many times, to places of its county that are not near."""
    row = Case.objects.get(pk=like)
    values = {field.attname: getattr(row, field.attname) for field in Case._meta.concrete_fields if field.name not in {"id", "number"}}
    elsewhere = [values | {"latitude": LATITUDE + 0.01 + number * 1e-6, "number": f"x{number:09}"} for number in range(count)]
    Case.objects.bulk_create([Case(**each) for each in elsewhere], batch_size=200)


def test_the_nearest_open_cases_of_the_type_are_found_though_many_newer_lie_elsewhere(office: Office) -> None:
    far, near, nearer = at(office, 290), at(office, -40), at(office, 10)
    at(office, 310)
    office.open(kind="hotline", place=Place(latitude=LATITUDE, longitude=LONGITUDE))
    many_elsewhere(near, 1000)

    def asked(by: Actor, most: int = 6) -> list[tuple[int, int]]:
        found = open_near(by, LONGITUDE, LATITUDE, type="city_fault", within_m=300, most=most, now=MONDAY)
        return [(each.row.id, each.metres) for each in found]

    assert asked(office.boss) == [(nearer, 10), (near, 40), (far, 290)] and asked(office.boss, 1) == [(nearer, 10)]
    assert asked(office.stranger) == []
