import uuid
from concurrent.futures import ThreadPoolExecutor

from jilink.kernel.ids import new_event_id


def test_event_ids_are_version_7_and_increase_within_a_process() -> None:
    ids = [new_event_id() for _ in range(5000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {uuid.UUID(i).version for i in ids} == {7}
    assert {uuid.UUID(i).variant for i in ids} == {uuid.RFC_4122}


def test_threads_never_draw_the_same_id() -> None:
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda _: new_event_id(), range(4000)))
    assert len(set(drawn)) == len(drawn)
