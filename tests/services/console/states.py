"""What a program may do with a noun, in any order: made, read, listed, changed by its tag, removed, and never seen across a wall."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule


@dataclass(frozen=True)
class Noun:
    """The operations of a noun in the generated client, and the bodies they take for a number."""

    group: str
    name: str
    """Of the path parameter."""
    make: str
    read: str
    lists: str
    change: str
    remove: str
    new: Callable[[Any, int, int], Any]
    changed: Callable[[Any, int], Any]
    shows: Callable[[dict[str, Any]], str]


WORDS = "thing {}".format


def _endpoint(models: Any, place: int, number: int) -> Any:
    return models.EndpointIn(organisation=place, url=f"https://example.com/{number}", kinds=["*"], description=WORDS(number))


def _edited(models: Any, number: int) -> Any:
    return models.EndpointEditIn(url=f"https://example.com/{number}", kinds=["case.*"], active=True, description=WORDS(number))


NOUNS = (
    Noun(
        "assets",
        "asset",
        "register_asset",
        "read_asset",
        "list_assets",
        "change_asset",
        "remove_asset",
        lambda models, place, number: models.NewAssetIn(organisation=place, kind="pole", label=WORDS(number)),
        lambda models, number: models.ChangedAssetIn(label=WORDS(number)),
        lambda shown: str(shown["label"]),
    ),
    Noun(
        "webhooks",
        "endpoint",
        "add_webhook",
        "read_webhook",
        "list_webhooks",
        "change_webhook",
        "remove_webhook",
        _endpoint,
        _edited,
        lambda shown: str(shown["description"]),
    ),
)


class Programs(RuleBasedStateMachine):
    """Two programs of one organisation and one of another; what they are answered is compared with what they did."""

    mine: Any
    strange: Any
    place: int
    things: Bundle[tuple[Noun, int]] = Bundle("things")

    def __init__(self) -> None:
        super().__init__()
        self.models = import_module("jilink_client.models")
        self.known: dict[tuple[str, int], str] = {}
        self.marks: dict[tuple[str, int], list[str]] = {}
        self.gone: set[tuple[str, int]] = set()
        self.number = 0
        self._undone = transaction.atomic()
        self._undone.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._undone.__exit__(None, None, None)

    def call(self, noun: Noun, operation: str, client: Any = None, **given: Any) -> Any:
        function = import_module(f"jilink_client.api.{noun.group}.{operation}").sync_detailed
        return function(client=client or self.mine, **given)

    def one(self, noun: Noun, thing: int, client: Any = None) -> Any:
        return self.call(noun, noun.read, client, **{noun.name: thing})

    def next(self) -> int:
        self.number += 1
        return self.number

    @initialize()
    def lay_down_a_kind(self) -> None:
        kind = self.models.AssetKindInKind.from_dict({"title": {"zh": "杆", "en": "Pole"}})
        body = self.models.AssetKindIn(organisation=self.place, kind=kind)
        made = import_module("jilink_client.api.assets.set_asset_kind").sync_detailed(client=self.mine, key="pole", body=body)
        assert made.status_code == 204

    @rule(target=things, noun=st.sampled_from(NOUNS), twice=st.booleans())
    def make(self, noun: Noun, twice: bool) -> tuple[Noun, int]:
        number = self.next()
        body = noun.new(self.models, self.place, number)
        answers = [self.call(noun, noun.make, body=body, idempotency_key=f"k{number}") for _time in range(1 + twice)]
        assert {answer.status_code for answer in answers} == {201}
        found = {json.loads(answer.content).get("id") or json.loads(answer.content)["endpoint"] for answer in answers}
        assert len(found) == 1
        thing = found.pop()
        self.known[noun.name, thing] = WORDS(number)
        self.marks[noun.name, thing] = [self.one(noun, thing).headers["ETag"]]
        return noun, thing

    @rule(known=things)
    def read(self, known: tuple[Noun, int]) -> None:
        noun, thing = known
        answer = self.one(noun, thing)
        if (noun.name, thing) in self.gone:
            assert answer.status_code == 404
            return
        assert noun.shows(json.loads(answer.content)) == self.known[noun.name, thing]
        assert answer.headers["ETag"] == self.marks[noun.name, thing][-1]

    @rule(known=things, age=st.integers(0, 3))
    def change(self, known: tuple[Noun, int], age: int) -> None:
        noun, thing = known
        marks, number = self.marks[noun.name, thing], self.next()
        mark = marks[max(0, len(marks) - 1 - age)]
        given = {noun.name: thing, "body": noun.changed(self.models, number), "if_match": mark}
        answer = self.call(noun, noun.change, **given)
        if (noun.name, thing) in self.gone:
            assert answer.status_code == 404
        elif mark != marks[-1]:
            assert answer.status_code == 412 and answer.parsed.code == "changed_meanwhile"
        else:
            assert answer.status_code in (200, 204)
            self.known[noun.name, thing] = WORDS(number)
            marks.append(self.one(noun, thing).headers["ETag"])
            assert marks[-1] not in marks[:-1]

    @rule(known=consumes(things))
    def remove(self, known: tuple[Noun, int]) -> None:
        noun, thing = known
        again = (noun.name, thing) in self.gone
        assert self.call(noun, noun.remove, **{noun.name: thing}).status_code == (404 if again else 204)
        self.known.pop((noun.name, thing), None)
        self.gone.add((noun.name, thing))
        assert self.one(noun, thing).status_code == 404

    @rule(known=things)
    def ask_across_the_wall(self, known: tuple[Noun, int]) -> None:
        noun, thing = known
        body = noun.changed(self.models, 0)
        answers = [
            self.one(noun, thing, self.strange),
            self.call(noun, noun.change, self.strange, **{noun.name: thing, "body": body, "if_match": "*"}),
            self.call(noun, noun.remove, self.strange, **{noun.name: thing}),
        ]
        allowed = {404, 422} if noun.name == "asset" else {404}
        assert {answer.status_code for answer in answers} <= allowed and "thing" not in str([answer.content for answer in answers])

    @rule(noun=st.sampled_from(NOUNS), limit=st.integers(1, 4))
    def list_page_by_page(self, noun: Noun, limit: int) -> None:
        found: list[tuple[int, str]] = []
        cursor = ""
        while True:
            page = json.loads(self.call(noun, noun.lists, limit=limit, cursor=cursor).content)
            assert len(page["items"]) <= limit
            found += [(row["id"], noun.shows(row)) for row in page["items"]]
            if page["next"] is None:
                break
            cursor = parse_qs(urlsplit(page["next"]).query)["cursor"][0]
        assert sorted(found) == sorted((thing, words) for (name, thing), words in self.known.items() if name == noun.name)

    @invariant()
    def the_stranger_has_nothing(self) -> None:
        if self.number % 5 == 4:
            for noun in NOUNS:
                assert json.loads(self.call(noun, noun.lists, self.strange).content)["items"] == []
