"""The parts of a case type and the cells of each."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _l

from jilink.core.cases.rules.definition import StageKind, Step
from jilink.core.parties.rules import Permission, Role
from jilink.services.console.pages.case_types_cells import Cell, Document
from jilink.services.console.pages.members_words import ROLE_WORDS

STAGE_WORDS: dict[StageKind, str | Promise] = {
    StageKind.INTAKE: _l("Intake"),
    StageKind.DISPATCH: _l("Dispatch"),
    StageKind.WORK: _l("Work"),
    StageKind.CHECK: _l("Check"),
    StageKind.ARBITRATION: _l("Arbitration"),
    StageKind.CLOSED: _l("Closed"),
    StageKind.VOID: _l("Void"),
}
STEP_WORDS: dict[Step, str | Promise] = {
    Step.ACCEPT: _l("Accept"),
    Step.DISPATCH: _l("Send to a unit"),
    Step.RETURN: _l("Send back"),
    Step.FINISH: _l("Say it is done"),
    Step.CONFIRM: _l("Confirm"),
    Step.REWORK: _l("Back to work"),
    Step.CLOSE: _l("Close"),
    Step.VOID: _l("Make void"),
    Step.REOPEN: _l("Reopen"),
    Step.MOVE: _l("Only move on"),
}
QUESTION_WORDS: dict[str, str | Promise] = {
    "text": _l("Words"),
    "number": _l("Number"),
    "choice": _l("One of several"),
    "choices": _l("Any of several"),
    "date": _l("Date"),
    "place": _l("Place"),
    "photo": _l("Photos"),
    "asset": _l("Thing"),
    "person": _l("Person"),
}
CASE_PERMISSIONS = (
    Permission.WORK_CASES,
    Permission.ASSIGN_CASES,
    Permission.APPROVE_CASES,
    Permission.VERIFY_CASES,
    Permission.CLOSE_CASES,
)
PERMISSION_WORDS: dict[Permission, str | Promise] = {
    Permission.WORK_CASES: _l("Whoever works on cases"),
    Permission.ASSIGN_CASES: _l("Whoever assigns cases"),
    Permission.APPROVE_CASES: _l("Whoever approves requests"),
    Permission.VERIFY_CASES: _l("Whoever checks cases"),
    Permission.CLOSE_CASES: _l("Whoever closes cases"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a type. `listed`: a list of items, edited one by one; otherwise attributes of the type itself."""

    key: str
    title: str | Promise
    cells: tuple[Cell, ...]
    listed: bool = True


def _named(rows: list[Document]) -> list[tuple[str, str]]:
    return [(row["key"], words(row.get("label", {})) or row["key"]) for row in rows]


def words(label: dict[str, Any]) -> str:
    """Return words of a document in the reader's language."""
    chinese = (get_language() or "zh").startswith("zh")
    first, second = ("zh", "en") if chinese else ("en", "zh")
    return str(label.get(first) or label.get(second) or "")


def _stages(document: Document) -> list[tuple[str, str]]:
    return _named(document.get("stages", []))


def _questions(document: Document) -> list[tuple[str, str]]:
    return _named(document.get("form", []))


def _clocks(document: Document) -> list[tuple[str, str]]:
    return [("whole", str(_l("The whole case"))), *_named([each for each in document.get("stages", []) if each.get("limits")])]


def _of(table: dict[Any, str | Promise]) -> Any:  # noqa: ANN401 -- options of a cell
    return lambda _document: [(str(key), str(value)) for key, value in table.items()]


_KEY = Cell("key", "text", _l("Key"), help=_l("Small letters, digits and _; it is stored, never shown."))
_LABEL = Cell("label", "words", _l("Name"))
_QUESTION = (
    _KEY,
    _LABEL,
    Cell("kind", "choice", _l("Kind"), _of(QUESTION_WORDS)),
    Cell("help", "words", _l("Help")),
    Cell("required", "flag", _l("Must be answered")),
    Cell("public", "flag", _l("Shown to citizens")),
    Cell("sensitive", "flag", _l("Sensitive: shown masked")),
    Cell("show_when", "condition", _l("Asked only if"), _questions),
)
_CHOICES = Cell("choices", "options", _l("Choices"))
_MOST = Cell("at_most", "number", _l("At most"))
_EXTRA: dict[str, tuple[Cell, ...]] = {
    "text": (_MOST, Cell("long", "flag", _l("Several lines")), Cell("pattern", "text", _l("Pattern"))),
    "number": (
        Cell("unit", "words", _l("Unit")),
        Cell("least", "text", _l("Least")),
        Cell("most", "text", _l("Most")),
        Cell("decimals", "number", _l("Decimals")),
    ),
    "choice": (_CHOICES,),
    "choices": (_CHOICES, _MOST),
    "photo": (_MOST,),
    "asset": (Cell("kinds", "keys", _l("Kinds of things")),),
}
PARTS: tuple[Part, ...] = (
    Part(
        "basics",
        _l("Basics"),
        (
            _LABEL,
            Cell("description", "words", _l("Description")),
            Cell("calendar", "text", _l("Working calendar")),
            Cell("whole", "limits", _l("Limit of the whole case")),
            Cell("usual_priority", "number", _l("Usual priority")),
            Cell("returns_before_arbitration", "number", _l("Returns before arbitration")),
            Cell("extensions_at_most", "number", _l("Extensions at most")),
            Cell("longest_suspension_days", "number", _l("Longest suspension in days")),
            Cell("reopen_within", "limit", _l("May be reopened within")),
            Cell("call_back", "limit", _l("Dissatisfied people are called within")),
        ),
        listed=False,
    ),
    Part("form", _l("Questions"), _QUESTION),
    Part(
        "stages",
        _l("Stages and clocks"),
        (_KEY, _LABEL, Cell("kind", "choice", _l("Kind"), _of(STAGE_WORDS)), Cell("limits", "limits", _l("Limit of this stage"))),
    ),
    Part(
        "transitions",
        _l("Transitions"),
        (
            _KEY,
            _LABEL,
            Cell("step", "choice", _l("What it does"), _of(STEP_WORDS)),
            Cell("source", "choice", _l("From"), _stages),
            Cell("target", "choice", _l("To"), _stages),
            Cell("permission", "choice", _l("Who may"), _of(PERMISSION_WORDS)),
            Cell("requires", "keys", _l("Needs answers to"), _questions),
            Cell("reason", "flag", _l("A reason must be given")),
        ),
    ),
    Part("priorities", _l("Priorities"), (Cell("rank", "number", _l("Rank, 1 lowest to 9 highest")), _LABEL)),
    Part(
        "ladder",
        _l("Escalation"),
        (
            _KEY,
            _LABEL,
            Cell("clocks", "keys", _l("Clocks"), _clocks),
            Cell("percent", "number", _l("When so many percent have run")),
            Cell("overdue", "limit", _l("Or when overdue by")),
            Cell(
                "notify",
                "keys",
                _l("Who is told"),
                _of({"assignee": _l("Whoever has it"), "team": _l("Their team"), **{r: ROLE_WORDS[r] for r in Role}}),
            ),
            Cell("raise_priority", "flag", _l("Raise the priority")),
            Cell("hand_up", "flag", _l("The unit above takes it")),
        ),
    ),
    Part("closing_codes", _l("Closing codes"), (_KEY, _LABEL)),
    Part("questions", _l("Evaluation"), _QUESTION),
)
BY_KEY = {part.key: part for part in PARTS}


def cells_of(part: Part, item: Document) -> tuple[Cell, ...]:
    """Return the cells of an item: a question has some of its kind beside the common ones."""
    return (*part.cells, *_EXTRA.get(item.get("kind", ""), ())) if part.key in {"form", "questions"} else part.cells


def fresh(part: Part) -> Document:
    """Return a new item of a part."""
    if part.key in {"form", "questions"}:
        return {"kind": "text", "public": True}
    return {}


def trimmed(part: Part, item: Document) -> Document:
    """Return an item without what its kind does not have, so that its kind can be changed."""
    if part.key not in {"form", "questions"}:
        return item
    kept = {cell.name for cell in cells_of(part, item)} | {"kind"}
    found = {name: value for name, value in item.items() if name in kept}
    if item["kind"] in {"choice", "choices"}:
        found.setdefault("choices", [])
    return found
