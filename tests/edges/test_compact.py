"""Maps in flat memory do what dictionaries do."""

from random import Random

from jilink.edges.terminals.compact import NumberMap, PackedMap


def test_numbers_come_back_whatever_was_put_and_taken_before() -> None:
    dice = Random(1)
    for spread in (50, 5_000, 1 << 63):
        ours, model = NumberMap(), dict[int, int]()
        for _ in range(20_000):
            key = dice.randrange(spread)
            if dice.random() < 0.6:
                ours.put(key, value := dice.randrange(1 << 40))
                model[key] = value
            else:
                ours.discard(key)
                model.pop(key, None)
        assert len(ours) == len(model) and dict(ours.items()) == model
        assert all(ours.get(key) == model.get(key) for key in [*model, *range(200)])


def test_keys_that_meet_at_one_place_stay_apart_when_the_map_grows_and_shrinks() -> None:
    keys = [number << 40 for number in range(4_000)] + [0, (1 << 64) - 1]
    ours = NumberMap()
    for number, key in enumerate(keys):
        ours.put(key, number)
    for key in keys[1:4_000:2]:
        ours.discard(key)
    assert {key: ours.get(key) for key in keys} == {
        key: None if number % 2 and number < 4_000 else (4_000 if key == 0 else number) for number, key in enumerate(keys)
    }


def test_strings_come_back_and_what_was_replaced_leaves_the_heap() -> None:
    dice = Random(2)
    ours, model = PackedMap(), dict[bytes, bytes]()
    keys = [dice.randbytes(16) for _ in range(300)]
    for _ in range(30_000):
        key = dice.choice(keys)
        if dice.random() < 0.8:
            ours.put(key, value := dice.randbytes(dice.randrange(80)))
            model[key] = value
        else:
            ours.discard(key)
            model.pop(key, None)
    assert len(ours) == len(model) and all(ours.get(key) == model.get(key) for key in keys)
    assert ours.heap_bytes < 3 * (1 << 16)


def test_a_digest_that_agrees_by_half_is_not_taken_for_another() -> None:
    ours = PackedMap()
    ours.put(bytes(16), b"first")
    assert ours.get(bytes(15) + b"\x01") is None
    ours.discard(bytes(15) + b"\x01")
    assert ours.get(bytes(16)) == b"first"
