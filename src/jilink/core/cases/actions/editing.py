"""Changing what is known of a case, field by field, with nothing overwritten that its editor has not read."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from django.db import transaction

from jilink.core.cases.actions.desk import Desk, lay
from jilink.core.cases.actions.people import served
from jilink.core.cases.events import CaseEdited
from jilink.core.cases.reads.ground import answers_of
from jilink.core.cases.rules import allowed
from jilink.core.cases.rules.allowed import Act
from jilink.core.cases.rules.form import NOT_ASKED, Answer, AnswerRefused, AnswersRefused, Place, check_answers
from jilink.core.cases.rules.merging import Conflict, merge
from jilink.core.cases.rules.timeline import Change, Edited
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.texts import gettext_noop

Value = Answer | float | None
COLUMNS = ("title", "description", "priority", "person", "latitude", "longitude", "accuracy_m", "address", "area")
CONFLICT = gettext_noop("Somebody else changed this meanwhile: %(fields)s.")
ANSWER = "answers."
"""A field is a column's name, or this and a question's key."""


class EditConflict(Refused):
    """Somebody changed the same fields meanwhile. `conflicts` names them with what was read, what is there, and what was wanted."""

    def __init__(self, conflicts: Mapping[str, Conflict[Value]], version: int) -> None:
        super().__init__(CONFLICT, fields=", ".join(sorted(conflicts)))
        self.conflicts, self.version = conflicts, version


class FieldRefused(Refused):
    """A case has no such field, or it cannot hold this. `field` names it."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


@transaction.atomic
def edit_case(
    *,
    case: int,
    wanted: Mapping[str, object],
    base: Mapping[str, object],
    by: Actor,
    version: int | None = None,
    now: datetime | None = None,
) -> int:
    """Change fields of a case and return its new version; a field nobody else touched since it was read is changed, all or none.

    `wanted` are the new values by field, `base` those that the editor read (a field that is not there was empty). With the
    `version` that was read and that still stands, every field is as it was read and `base` may be left out.
    Raises NotFound, EditConflict, FieldRefused, AnswersRefused, StepRefused for a case that is not open.
    """
    desk = lay(case, Permission.WORK_CASES, by, now)
    allowed.require(desk.row.state, Act.EDIT)
    current = fields_of(desk)
    wanted_values = _checked(desk, wanted)
    read = current if version == desk.row.version else {field: _plain(value) for field, value in base.items()}
    merged = merge(current, read, wanted_values, None)
    if merged.conflicts:
        raise EditConflict(merged.conflicts, desk.row.version)
    if not merged.changed:
        return desk.row.version
    _write(desk, {field: new for field, (_old, new) in merged.changed.items()})
    changes = tuple(Change(field, _words(old), _words(new)) for field, (old, new) in sorted(merged.changed.items()))
    desk.write(Edited(changes=changes))
    desk.save()
    desk.tell(CaseEdited, fields=tuple(sorted(merged.changed)))
    return desk.row.version


def fields_of(desk: Desk) -> dict[str, Value]:
    """Return every field of a case that can be edited; empty ones are left out."""
    columns: dict[str, Value] = {name: getattr(desk.row, name) for name in COLUMNS}
    answers: dict[str, Value] = {ANSWER + key: value for key, value in answers_of(desk.row).items()}
    return {field: value for field, value in {**columns, **answers}.items() if value not in {None, ""}}


def _checked(desk: Desk, wanted: Mapping[str, object]) -> dict[str, Value]:
    questions = {ANSWER + question.key: question for question in desk.definition.form}
    found: dict[str, Value] = {}
    for field, given in wanted.items():
        value = _plain(given)
        if field not in COLUMNS and field not in questions:
            raise FieldRefused("A case has no such field.", field=field)
        found[field] = value if value is None or field in COLUMNS else questions[field].check(given)
    title, priority = found.get("title", desk.row.title), found.get("priority", desk.row.priority)
    if not isinstance(title, str) or not 0 < len(title.strip()) <= 200:
        raise FieldRefused("Say in at most 200 characters what the case is about.", field="title")
    if priority not in {level.rank for level in desk.definition.priorities}:
        raise FieldRefused("This case type has no such priority.", field="priority")
    for name, kinds in (("latitude", float | int), ("longitude", float | int), ("accuracy_m", float | int), ("person", int)):
        if found.get(name) is not None and not isinstance(found[name], kinds):
            raise FieldRefused("A number is needed.", field=name)
    if isinstance(found.get("person"), int):
        found["person"] = served(desk.row.organisation_id, int(str(found["person"])), desk.by)
    for name, most in (("address", 200), ("area", 160), ("description", 10_000)):
        if len(str(found.get(name) or "")) > most:
            raise FieldRefused("This is too long.", field=name)
    return found


def _write(desk: Desk, values: Mapping[str, Value]) -> None:
    columns = {name: value for name, value in values.items() if name in COLUMNS}
    for name in ("description", "address", "area"):
        if name in columns and columns[name] is None:
            columns[name] = ""
    desk.set(**columns)
    answers: dict[str, object] = dict(answers_of(desk.row))
    given = {name.removeprefix(ANSWER): value for name, value in values.items() if name.startswith(ANSWER)}
    if not given:
        return
    answers.update({key: value for key, value in given.items() if value is not None})
    for key in (key for key, value in given.items() if value is None):
        answers.pop(key, None)
    kept = check_answers(desk.definition.form, answers)
    missing = {key: AnswerRefused(NOT_ASKED) for key in given if given[key] is not None and key not in kept}
    if missing:
        raise AnswersRefused(missing)
    desk.set(answers=msgspec.json.encode(kept).decode())


def _plain(given: object) -> Value:
    """Return a value as fields compare it: empty ones as None, lists as tuples, numbers and words as they are."""
    if given is None or given == "":
        return None
    if isinstance(given, list):
        return tuple(str(one) for one in given)
    if isinstance(given, str | int | float | tuple):
        return given
    return msgspec.convert(given, Place)


def _words(value: Value) -> str:
    return msgspec.json.encode(value).decode()
