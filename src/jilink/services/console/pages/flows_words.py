"""The steps of flows in words, and the cells in which each kind is designed."""

from collections.abc import Callable
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from jilink.services.console.pages.case_types_cells import Cell, Document

Word = str | Promise
KIND_WORDS: dict[str, Word] = {
    "say": gettext_lazy("Say"),
    "ask_digits": gettext_lazy("Ask for keys"),
    "ask_text": gettext_lazy("Ask for written words"),
    "ask_speech": gettext_lazy("Ask for spoken words"),
    "branch": gettext_lazy("Branch"),
    "set_language": gettext_lazy("Choose the language"),
    "set": gettext_lazy("Keep a value"),
    "look_up_case": gettext_lazy("Look up a case"),
    "open_case": gettext_lazy("Open a case"),
    "queue": gettext_lazy("Wait in a queue"),
    "callback": gettext_lazy("Take down a callback"),
    "voicemail": gettext_lazy("Take a message"),
    "webhook": gettext_lazy("Ask a program"),
    "transfer": gettext_lazy("Put through"),
    "call": gettext_lazy("Run another flow"),
    "wait": gettext_lazy("Wait"),
    "hang_up": gettext_lazy("End the contact"),
}
OUTCOME_WORDS: dict[str, Word] = {
    "next": gettext_lazy("Then"),
    "none": gettext_lazy("Where nothing comes"),
    "invalid": gettext_lazy("Where the answer does not fit"),
    "otherwise": gettext_lazy("Otherwise"),
    "found": gettext_lazy("Where it is found"),
    "unknown": gettext_lazy("Where there is none"),
    "misread": gettext_lazy("Where a digit is wrong"),
    "opened": gettext_lazy("Where it was opened"),
    "refused": gettext_lazy("Where it is refused"),
    "served": gettext_lazy("After the talk"),
    "waited": gettext_lazy("Where it takes too long"),
    "full": gettext_lazy("Where the queue is full"),
    "closed": gettext_lazy("Where the queue is closed"),
    "left": gettext_lazy("Where the key is pressed"),
    "booked": gettext_lazy("Where it is booked"),
    "recorded": gettext_lazy("Where a message was left"),
    "answered": gettext_lazy("Where it answers"),
    "failed": gettext_lazy("Where it does not"),
    "done": gettext_lazy("Afterwards"),
    "silence": gettext_lazy("Say and press nothing"),
    "gone": gettext_lazy("Hang up"),
    "shortcut": gettext_lazy("By a shortcut"),
}
LANGUAGE_WORDS: dict[str, Word] = {"zh": gettext_lazy("Mandarin"), "en": gettext_lazy("English"), "ko": gettext_lazy("Korean")}
CHANNEL_WORDS: dict[str, Word] = {
    "call": gettext_lazy("Telephone"),
    "text": gettext_lazy("Text message"),
    "chat": gettext_lazy("Chat"),
}


def _known(name: str) -> Callable[[Document], list[tuple[str, str]]]:
    return lambda document: [(each, each) for each in document["_known"][name]]


def _languages(document: Document) -> list[tuple[str, str]]:
    return [("", "-"), *((each, str(LANGUAGE_WORDS.get(each, each))) for each in document["languages"])]


def _wanted(_document: Document) -> list[tuple[str, str]]:
    return [("text", str(gettext_lazy("Words"))), ("amount", str(gettext_lazy("An amount")))]


def _to(*outcomes: str) -> tuple[Cell, ...]:
    return tuple(Cell(name, "target", OUTCOME_WORDS[name]) for name in outcomes)  # type: ignore[arg-type] # -- lazy words


_PROMPT = Cell("prompt", "prompt", gettext_lazy("What is said"))
_AGAIN = Cell("again", "prompt", gettext_lazy("Said before asking again"))
_SAVE = Cell("save", "text", gettext_lazy("Kept as"), help=gettext_lazy("Name of a variable; {name} stands for it in what is said."))
_TRIES = Cell("tries", "number", gettext_lazy("Asked at most so often"))
_LONGEST = Cell("longest_s", "number", gettext_lazy("At most, in seconds"))
_SILENCE = Cell("silence_s", "number", gettext_lazy("Ends after a silence of seconds"))
_TIMEOUT = Cell("timeout_s", "number", gettext_lazy("Wait for an answer, in seconds"))
_QUEUE = Cell("queue", "known", gettext_lazy("Queue"), _known("queues"))
_TYPE = Cell("type", "known", gettext_lazy("Case type"), _known("types"))
_TITLE = Cell("title", "text", gettext_lazy("Title of the case"))
_ANSWERS = Cell("answers", "pairs", gettext_lazy("Answers to its questions"), help=gettext_lazy("One a line: question = answer"))
_HEAD = (
    Cell("label", "text", gettext_lazy("Name")),
    Cell("key", "text", gettext_lazy("Key"), help=gettext_lazy("Small letters, digits and _; it is stored, never shown.")),
)
_CELLS: dict[str, tuple[Cell, ...]] = {
    "say": (_PROMPT, Cell("language", "choice", gettext_lazy("Always in this language"), _languages), *_to("next")),
    "ask_digits": (
        _PROMPT,
        _AGAIN,
        _SAVE,
        Cell("allowed", "keys", gettext_lazy("Only these answers"), help=gettext_lazy("With commas between them; empty: any digits.")),
        Cell("words", "pairs", gettext_lazy("Words that stand for an answer"), help=gettext_lazy("One a line: 1 = word word")),
        Cell("least", "number", gettext_lazy("Least digits")),
        Cell("most", "number", gettext_lazy("Most digits")),
        Cell("terminator", "text", gettext_lazy("Key that ends the answer")),
        _TIMEOUT,
        Cell("between_s", "number", gettext_lazy("Wait for the next key, in seconds")),
        _TRIES,
        *_to("next", "none", "invalid"),
    ),
    "ask_text": (
        _PROMPT,
        _AGAIN,
        _SAVE,
        Cell("wants", "choice", gettext_lazy("What is wanted"), _wanted),
        _TIMEOUT,
        _TRIES,
        *_to("next", "none", "invalid"),
    ),
    "ask_speech": (_PROMPT, _SAVE, _LONGEST, _SILENCE, *_to("next", "none")),
    "branch": (Cell("arms", "arms", gettext_lazy("Test")), *_to("otherwise")),
    "set_language": (Cell("language", "choice", gettext_lazy("Language"), _languages), *_to("next")),
    "set": (
        Cell("name", "text", gettext_lazy("Kept as")),
        Cell("value", "text", gettext_lazy("Value"), help=gettext_lazy("Other variables stand in braces.")),
        *_to("next"),
    ),
    "look_up_case": (
        Cell("number", "text", gettext_lazy("Case number"), help=gettext_lazy("Other variables stand in braces.")),
        Cell("phone", "text", gettext_lazy("Telephone number of the person")),
        *_to("found", "unknown", "misread"),
    ),
    "open_case": (_TYPE, _TITLE, Cell("description", "text", gettext_lazy("Description")), _ANSWERS, *_to("opened", "refused")),
    "queue": (
        _QUEUE,
        Cell("skills", "keys", gettext_lazy("Skills"), help=gettext_lazy("With commas between them, such as lang.{language}")),
        Cell("priority", "number", gettext_lazy("Priority, 0 to 9")),
        _LONGEST,
        Cell("leave_on", "text", gettext_lazy("Key to leave the queue")),
        *_to("served", "waited", "full", "closed", "left"),
    ),
    "callback": (_QUEUE, Cell("number", "text", gettext_lazy("Number to call")), *_to("booked", "refused")),
    "voicemail": (_PROMPT, _LONGEST, _SILENCE, _TYPE, _TITLE, _ANSWERS, *_to("recorded", "none", "refused")),
    "webhook": (
        Cell("hook", "known", gettext_lazy("Address"), _known("hooks")),
        Cell("sends", "pairs", gettext_lazy("What is sent"), help=gettext_lazy("One a line: name = value")),
        Cell("takes", "pairs", gettext_lazy("What is taken"), help=gettext_lazy("One a line: variable = place in the answer")),
        _TIMEOUT,
        *_to("answered", "failed"),
    ),
    "transfer": (Cell("target", "text", gettext_lazy("Number to call")), _TIMEOUT, *_to("done", "failed")),
    "call": (Cell("flow", "known", gettext_lazy("Flow"), _known("flows")), *_to("next")),
    "wait": (Cell("seconds", "number", gettext_lazy("Seconds")), *_to("next")),
    "hang_up": (Cell("outcome", "text", gettext_lazy("Counted as")),),
}
BASICS: tuple[Cell, ...] = (
    Cell("label", "words", gettext_lazy("Name")),
    Cell("description", "words", gettext_lazy("Description")),
    Cell("languages", "keys", gettext_lazy("Languages"), lambda _document: [(key, str(word)) for key, word in LANGUAGE_WORDS.items()]),
    Cell("first", "target", gettext_lazy("Begins with")),
    Cell("longest_minutes", "number", gettext_lazy("Longest in minutes, talks not counted")),
    Cell("inputs", "keys", gettext_lazy("Variables that are brought along"), help=gettext_lazy("With commas between them.")),
    Cell(
        "shortcuts",
        "shortcuts",
        gettext_lazy("Shortcuts"),
        help=gettext_lazy("One a line: step = word, word. They are understood wherever something is asked."),
    ),
)


def cells_of(kind: str) -> tuple[Cell, ...]:
    """Return the cells of a step."""
    return (*_HEAD, *_CELLS[kind])


def step_in_words(step: Document) -> str:
    """Return what a step is called: its own name, or its kind."""
    return str(step.get("label") or KIND_WORDS.get(step["kind"], step["kind"]))


def outcome_in_words(outcome: Any) -> str:  # noqa: ANN401 -- a key of an outcome or the number of an arm
    """Return an outcome in the reader's language."""
    return str(OUTCOME_WORDS.get(str(outcome), outcome))
