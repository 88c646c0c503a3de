"""The parts of a case type and the cells of each."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy

from jilink.core.cases.rules.definition import StageKind, Step
from jilink.core.parties.rules import Permission, Role
from jilink.services.console.pages.case_types_cells import Cell, Document
from jilink.services.console.pages.members_words import ROLE_WORDS

STAGE_WORDS: dict[StageKind, str | Promise] = {
    StageKind.INTAKE: gettext_lazy("Intake"),
    StageKind.DISPATCH: gettext_lazy("Dispatch"),
    StageKind.WORK: gettext_lazy("Handling"),
    StageKind.CHECK: gettext_lazy("Checking"),
    StageKind.ARBITRATION: gettext_lazy("Arbitration"),
    StageKind.CLOSED: gettext_lazy("Closed"),
    StageKind.VOID: gettext_lazy("Void"),
}
STEP_WORDS: dict[Step, str | Promise] = {
    Step.ACCEPT: gettext_lazy("Accept"),
    Step.DISPATCH: gettext_lazy("Send to a unit"),
    Step.RETURN: gettext_lazy("Send back"),
    Step.FINISH: gettext_lazy("Report as done"),
    Step.CONFIRM: gettext_lazy("Confirm"),
    Step.REWORK: gettext_lazy("Back to work"),
    Step.CLOSE: gettext_lazy("Close the case"),
    Step.VOID: gettext_lazy("Void the case"),
    Step.REOPEN: gettext_lazy("Reopen"),
    Step.MOVE: gettext_lazy("Only move on"),
}
QUESTION_WORDS: dict[str, str | Promise] = {
    "text": gettext_lazy("Words"),
    "number": gettext_lazy("Number"),
    "choice": gettext_lazy("One of several"),
    "choices": gettext_lazy("Any of several"),
    "date": gettext_lazy("Date"),
    "place": gettext_lazy("Place"),
    "photo": gettext_lazy("Photos"),
    "asset": gettext_lazy("Asset"),
    "person": gettext_lazy("Person"),
}
PERMISSION_WORDS: dict[Permission, str | Promise] = {
    Permission.WORK_CASES: gettext_lazy("Whoever works on cases"),
    Permission.ASSIGN_CASES: gettext_lazy("Whoever assigns cases"),
    Permission.APPROVE_CASES: gettext_lazy("Whoever approves requests"),
    Permission.VERIFY_CASES: gettext_lazy("Whoever checks cases"),
    Permission.CLOSE_CASES: gettext_lazy("Whoever closes cases"),
    Permission.ADD_CASES: gettext_lazy("Whoever opens cases"),
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
    return [("whole", str(gettext_lazy("Whole case"))), *_named([each for each in document.get("stages", []) if each.get("limits")])]


def _of(table: dict[Any, str | Promise]) -> Any:  # noqa: ANN401 -- options of a cell
    return lambda _document: [(str(key), str(value)) for key, value in table.items()]


_KEY = Cell("key", "text", gettext_lazy("Key"), help=gettext_lazy("Small letters, digits and _; it is stored, never shown."))
_LABEL = Cell("label", "words", gettext_lazy("Name"))
_QUESTION = (
    _KEY,
    _LABEL,
    Cell("kind", "choice", gettext_lazy("Kind"), _of(QUESTION_WORDS)),
    Cell("help", "words", gettext_lazy("Help")),
    Cell("required", "flag", gettext_lazy("Required")),
    Cell("public", "flag", gettext_lazy("Shown to citizens")),
    Cell("sensitive", "flag", gettext_lazy("Sensitive: shown masked")),
    Cell("show_when", "condition", gettext_lazy("Asked only if"), _questions),
)
_STAGE_LIMIT = Cell("limits", "limits", gettext_lazy("Limit of this stage"))
_CHOICES = Cell("choices", "options", gettext_lazy("Choices"))
_MOST = Cell("at_most", "number", gettext_lazy("At most"))
_EXTRA: dict[str, tuple[Cell, ...]] = {
    "text": (_MOST, Cell("long", "flag", gettext_lazy("Several lines")), Cell("pattern", "text", gettext_lazy("Pattern"))),
    "number": (
        Cell("unit", "words", gettext_lazy("Unit")),
        Cell("least", "text", gettext_lazy("Least")),
        Cell("most", "text", gettext_lazy("Most")),
        Cell("decimals", "number", gettext_lazy("Decimals")),
    ),
    "choice": (_CHOICES,),
    "choices": (_CHOICES, _MOST),
    "photo": (_MOST,),
    "asset": (Cell("kinds", "keys", gettext_lazy("Kinds of things")),),
}
PARTS: tuple[Part, ...] = (
    Part(
        "basics",
        gettext_lazy("Basics"),
        (
            _LABEL,
            Cell("description", "words", gettext_lazy("Description")),
            Cell("calendar", "text", gettext_lazy("Working calendar")),
            Cell("whole", "limits", gettext_lazy("Limit of the whole case")),
            Cell("usual_priority", "number", gettext_lazy("Usual priority")),
            Cell("returns_before_arbitration", "number", gettext_lazy("Returns before arbitration")),
            Cell("extensions_at_most", "number", gettext_lazy("Extensions at most")),
            Cell("longest_suspension_days", "number", gettext_lazy("Longest suspension in days")),
            Cell("reopen_within", "limit", gettext_lazy("May be reopened within")),
            Cell("call_back", "limit", gettext_lazy("Dissatisfied people are called within")),
        ),
        listed=False,
    ),
    Part("form", gettext_lazy("Questions"), _QUESTION),
    Part(
        "stages",
        gettext_lazy("Stages and clocks"),
        (
            _KEY,
            _LABEL,
            Cell("kind", "choice", gettext_lazy("Kind"), _of(STAGE_WORDS)),
            _STAGE_LIMIT,
        ),
    ),
    Part(
        "transitions",
        gettext_lazy("Transitions"),
        (
            _KEY,
            _LABEL,
            Cell("step", "choice", gettext_lazy("What it does"), _of(STEP_WORDS)),
            Cell("source", "choice", gettext_lazy("From"), _stages),
            Cell("target", "choice", gettext_lazy("To"), _stages),
            Cell("permission", "choice", gettext_lazy("Who may"), _of(PERMISSION_WORDS)),
            Cell("requires", "keys", gettext_lazy("Needs answers to"), _questions),
            Cell("reason", "flag", gettext_lazy("A reason must be given")),
        ),
    ),
    Part("priorities", gettext_lazy("Priorities"), (Cell("rank", "number", gettext_lazy("Rank, 1 lowest to 9 highest")), _LABEL)),
    Part(
        "ladder",
        gettext_lazy("Escalation"),
        (
            _KEY,
            _LABEL,
            Cell("clocks", "keys", gettext_lazy("Clocks it climbs by"), _clocks),
            Cell("percent", "number", gettext_lazy("When so many percent have run")),
            Cell("overdue", "limit", gettext_lazy("Or when overdue by")),
            Cell(
                "notify",
                "keys",
                gettext_lazy("Who is told"),
                _of({"assignee": gettext_lazy("Whoever has it"), "team": gettext_lazy("Their team"), **{r: ROLE_WORDS[r] for r in Role}}),
            ),
            Cell("raise_priority", "flag", gettext_lazy("Raise the priority")),
            Cell("hand_up", "flag", gettext_lazy("The unit above takes it")),
        ),
    ),
    Part("closing_codes", gettext_lazy("Closing codes"), (_KEY, _LABEL)),
    Part("questions", gettext_lazy("Evaluation"), _QUESTION),
)
BY_KEY = {part.key: part for part in PARTS}


def cells_of(part: Part, item: Document) -> tuple[Cell, ...]:
    """Return the cells of an item: a question has some of its kind beside the common ones."""
    return (*part.cells, *_EXTRA.get(item.get("kind", ""), ())) if part.key in {"form", "questions"} else part.cells


def kind_in_words(part: Part, item: Document) -> str:
    """Return what kind an item is of, in the reader's language; "" where its part has no kinds."""
    tables: dict[str, dict[Any, str | Promise]] = {"stages": STAGE_WORDS, "transitions": STEP_WORDS}
    value = str(item.get("kind") or item.get("step") or "")
    return str(tables.get(part.key, QUESTION_WORDS).get(value, value))


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
