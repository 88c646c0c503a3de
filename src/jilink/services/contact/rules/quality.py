"""Score cards: what is asked about a contact, what answers come to, and how far evaluators are apart."""

import re
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, pstdev

import msgspec

from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
MOST_SECTIONS, MOST_QUESTIONS, MOST_COMMENTS = 20, 100, 50
LONGEST_WORDS = 2000


class CardRefused(Refused):
    """A score card, or an answer to one, cannot be so."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question. It is answered with 0 to `most` points; `most` 1 is yes or no."""

    key: str
    text: Text
    weight: float = 1.0
    most: int = 1
    fatal: bool = False
    """No points here make the whole score 0."""
    optional: bool = True
    """May be answered with "does not apply"; then it does not count."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Questions that belong together."""

    title: Text
    questions: tuple[Question, ...] = ()


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A score card."""

    name: Text
    sections: tuple[Section, ...] = ()
    pass_mark: float = 80.0
    """Points of 100 from which a contact was good enough."""

    def questions(self) -> tuple[Question, ...]:
        """Return every question in order."""
        return tuple(question for section in self.sections for question in section.questions)


class Comment(msgspec.Struct, frozen=True):
    """Words about one moment of the recording (seconds from its beginning)."""

    at_s: float
    words: str


class Answers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an evaluator answered: points by the question's key, None where it does not apply."""

    points: dict[str, int | None] = {}
    comments: tuple[Comment, ...] = ()


class Score(msgspec.Struct, frozen=True):
    """What answers come to: 0 to 100, and whether a fatal question was failed."""

    points: float
    failed: bool


def read_card(text: str | bytes) -> Card:
    """Return a card. Raises CardRefused."""
    try:
        return msgspec.json.decode(text, type=Card)
    except msgspec.DecodeError as error:
        raise CardRefused("This is no score card: %(reason)s", reason=str(error)) from error


def read_answers(text: str | bytes) -> Answers:
    """Return answers. Raises CardRefused."""
    try:
        return msgspec.json.decode(text, type=Answers)
    except msgspec.DecodeError as error:
        raise CardRefused("These are no answers: %(reason)s", reason=str(error)) from error


def write(value: Card | Answers) -> str:
    """Return a card or answers as JSON."""
    return msgspec.json.encode(value).decode()


def check(card: Card) -> None:
    """Return where a card can be published. Raises CardRefused with the place."""
    questions = card.questions()
    if not card.name:
        raise CardRefused("A score card needs a name.")
    if not questions or len(questions) > MOST_QUESTIONS or len(card.sections) > MOST_SECTIONS:
        raise CardRefused("A score card has 1 to %(most)d questions in at most %(sections)d sections.", most=100, sections=20)
    if len({question.key for question in questions}) != len(questions):
        raise CardRefused("Two questions have the same key.")
    if not 0 <= card.pass_mark <= 100:
        raise CardRefused("The pass mark is 0 to 100.")
    for section in card.sections:
        if not section.title:
            raise CardRefused("Every section needs a title.")
    for number, question in enumerate(questions, 1):
        if not KEY.fullmatch(question.key) or not question.text:
            raise CardRefused("Question %(number)d needs words and a key of small letters, digits and _.", number=number)
        if not 0 < question.weight <= 100 or not 1 <= question.most <= 10:
            raise CardRefused("The weight of question %(number)d is above 0 and at most 100, its points are 1 to 10.", number=number)


def score(card: Card, answers: Answers) -> Score:
    """Return what answers come to: the weighted share of points among questions that apply; 0 where a fatal one is failed.

    Raises CardRefused where a question is not answered, or not so.
    """
    gained = possible = 0.0
    failed = False
    known = {question.key for question in card.questions()}
    if answers.points.keys() - known:
        raise CardRefused("The answers are to another card.")
    for number, question in enumerate(card.questions(), 1):
        if question.key not in answers.points:
            raise CardRefused("Question %(number)d is not answered.", number=number)
        given = answers.points[question.key]
        if given is None:
            if not question.optional:
                raise CardRefused("Question %(number)d has to be answered.", number=number)
            continue
        if not 0 <= given <= question.most:
            raise CardRefused("Question %(number)d has 0 to %(most)d points.", number=number, most=question.most)
        possible += question.weight
        gained += question.weight * given / question.most
        failed = failed or (question.fatal and given == 0)
    if not possible:
        raise CardRefused("At least one question has to apply.")
    return Score(0.0 if failed else round(100 * gained / possible, 1), failed)


def check_comments(comments: Sequence[Comment]) -> None:
    """Return where comments can be kept. Raises CardRefused."""
    if len(comments) > MOST_COMMENTS or any(one.at_s < 0 or not 0 < len(one.words) <= LONGEST_WORDS for one in comments):
        raise CardRefused("At most %(most)d comments, each with words and a time.", most=MOST_COMMENTS)


class Spread(msgspec.Struct, frozen=True):
    """How far evaluators are apart about one question or the whole: share of the points 0 to 100."""

    key: str
    mean: float
    deviation: float
    """Standard deviation over those who answered."""
    values: tuple[float | None, ...]


def spread(key: str, values: Sequence[float | None]) -> Spread:
    """Return mean and deviation of what evaluators gave; who said "does not apply" is left out."""
    said = [value for value in values if value is not None]
    return Spread(key, round(fmean(said), 1) if said else 0.0, round(pstdev(said), 1) if said else 0.0, tuple(values))


def deviations(card: Card, given: Sequence[Answers]) -> tuple[Spread, ...]:
    """Return the spread of each question over several evaluators' answers, then that of the whole under the key ""."""
    found = []
    for question in card.questions():
        points = [answers.points.get(question.key) for answers in given]
        found.append(spread(question.key, [None if point is None else 100 * point / question.most for point in points]))
    return (*found, spread("", [score(card, answers).points for answers in given]))


def by_question(scored: Iterable[tuple[Card, Answers]]) -> Mapping[str, tuple[float, int]]:
    """Return for each question's key the mean share of its points (0 to 100) and how often it was answered."""
    shares: dict[str, list[float]] = {}
    for card, answers in scored:
        for question in card.questions():
            point = answers.points.get(question.key)
            if point is not None:
                shares.setdefault(question.key, []).append(100 * point / question.most)
    return {key: (round(fmean(values), 1), len(values)) for key, values in shares.items()}
