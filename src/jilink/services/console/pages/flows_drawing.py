"""A flow as a drawing: its steps one below the other, ways to the next straight down, all others on lanes beside them."""

from dataclasses import dataclass

from jilink.core.flows.rules.definition import END, Flow
from jilink.services.console.pages.flows_words import KIND_WORDS, outcome_in_words

WIDTH, HEIGHT, GAP, MARGIN, LANE = 230, 40, 26, 12, 14
_TONES = {"queue": "check", "transfer": "check", "callback": "check", "branch": "arbitration", "hang_up": "void"}
_TONES |= {"ask_digits": "work", "ask_text": "work", "ask_speech": "work", "voicemail": "work"}


@dataclass(frozen=True, slots=True)
class Box:
    """One step, in the drawing's units."""

    number: int
    label: str
    kind: str
    tone: str
    y: int
    middle: int
    baseline: int
    ends: str
    """Outcomes that end the flow here."""


@dataclass(frozen=True, slots=True)
class Way:
    """Outcomes that lead from a step to another; `path` is SVG's, the words stand at (x, y)."""

    label: str
    path: str
    x: int
    y: int
    back: bool


@dataclass(frozen=True, slots=True)
class FlowDrawing:
    """The whole, `width` by `height`."""

    boxes: tuple[Box, ...]
    ways: tuple[Way, ...]
    width: int
    height: int


def drawing(flow: Flow) -> FlowDrawing:
    """Return where everything stands; ways that cross no other share a lane."""
    rows = {step.key: number for number, step in enumerate(flow.steps)}
    grouped: dict[tuple[int, int], list[str]] = {}
    ends: dict[int, list[str]] = {}
    for number, step in enumerate(flow.steps):
        for outcome, target in step.ways():
            if target == END:
                ends.setdefault(number, []).append(outcome_in_words(outcome))
            elif target in rows:
                grouped.setdefault((number, rows[target]), []).append(outcome_in_words(outcome))
    boxes = tuple(
        Box(
            number,
            step.label or str(KIND_WORDS[str(step.__struct_config__.tag)]),
            str(KIND_WORDS[str(step.__struct_config__.tag)]),
            _TONES.get(str(step.__struct_config__.tag), "intake"),
            _top(number),
            MARGIN + WIDTH // 2,
            _top(number) + HEIGHT // 2 + 5,
            " / ".join(ends.get(number, [])),
        )
        for number, step in enumerate(flow.steps)
    )
    lanes: list[list[tuple[int, int]]] = []
    ways = [
        _way(source, target, labels, lanes)
        for (source, target), labels in sorted(grouped.items(), key=lambda one: abs(one[0][1] - one[0][0]))
    ]
    width = MARGIN * 2 + WIDTH + 30 + LANE * len(lanes)
    return FlowDrawing(boxes, tuple(ways), width, _top(len(flow.steps)) + MARGIN)


def _top(row: int) -> int:
    return MARGIN + row * (HEIGHT + GAP)


def _way(source: int, target: int, labels: list[str], lanes: list[list[tuple[int, int]]]) -> Way:
    words = " / ".join(labels)
    if target == source + 1:
        x = MARGIN + WIDTH // 2
        return Way(words, f"M{x} {_top(source) + HEIGHT} V{_top(target) - 2}", x + 4, _top(target) - 9, False)
    low, high = sorted((source, target))
    lane = next((number for number, taken in enumerate(lanes) if all(high < first or last < low for first, last in taken)), len(lanes))
    if lane == len(lanes):
        lanes.append([])
    lanes[lane].append((low, high))
    x, right = MARGIN + WIDTH, MARGIN + WIDTH + 24 + lane * LANE
    out, into = _top(source) + HEIGHT * 2 // 3, _top(target) + HEIGHT // 3
    return Way("", f"M{x} {out} H{right} V{into} H{x + 2}", right, out, target <= source)
