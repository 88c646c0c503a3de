"""The questions of a case type: kinds of field, when each is asked, and what counts as an answer."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

import msgspec

from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,9})?")
LONGEST_TEXT = 10_000


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where: WGS-84 degrees, None where only words are known; `accuracy_m` in metres, None where unknown."""

    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None
    address: str = ""


Answer = str | int | tuple[str, ...] | Place
"""Text, number (decimal digits), choice and date are words; several choices and photos are tuples; assets and people are ids."""
Answers = Mapping[str, Answer]


class AnswerRefused(Refused):
    """One answer does not fit its question."""


class AnswersRefused(Refused):
    """Some answers do not fit. `problems` says what is wrong, by the key of the question."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{key}: {words}" for key, words in problems.items()))
        self.problems = problems


class Is(msgspec.Struct, frozen=True, tag="is"):
    """Asked where an earlier question was answered so (one of several choices counts)."""

    question: str
    value: str


class Answered(msgspec.Struct, frozen=True, tag="answered"):
    """Asked where an earlier question has any answer."""

    question: str


class Above(msgspec.Struct, frozen=True, tag="above"):
    """Asked where an earlier number is greater than this."""

    question: str
    value: str


class Every(msgspec.Struct, frozen=True, tag="every"):
    """Asked where all of these hold."""

    of: "tuple[Condition, ...]"


class Some(msgspec.Struct, frozen=True, tag="some"):
    """Asked where at least one of these holds."""

    of: "tuple[Condition, ...]"


class Not(msgspec.Struct, frozen=True, tag="not"):
    """Asked where this does not hold."""

    of: "Condition"


Condition = Is | Answered | Above | Every | Some | Not


def leaves(condition: Condition | None) -> "tuple[Is | Answered | Above, ...]":
    """Return what a condition asks of single questions."""
    if condition is None:
        return ()
    if isinstance(condition, Every | Some):
        return tuple(leaf for one in condition.of for leaf in leaves(one))
    return leaves(condition.of) if isinstance(condition, Not) else (condition,)


def holds(condition: Condition | None, answers: Answers) -> bool:
    """Return whether a question with this condition is asked, given the answers to earlier ones."""
    match condition:
        case None:
            return True
        case Is(question, value):
            given = answers.get(question)
            return value in given if isinstance(given, tuple) else given == value
        case Answered(question):
            return question in answers
        case Above(question, value):
            return question in answers and Decimal(str(answers[question])) > Decimal(value)
        case Every(of):
            return all(holds(one, answers) for one in of)
        case Some(of):
            return any(holds(one, answers) for one in of)
        case Not(of):
            return not holds(of, answers)


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to choose; its key is stored, its label shown."""

    key: str
    label: Text


class Question(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every kind of question has."""

    key: str
    label: Text
    help: Text = Text()
    required: bool = False
    """An answer is needed to open a case; a transition may require others later."""
    show_when: Condition | None = None
    public: bool = True
    """Asked of citizens and shown to them; otherwise for members only."""
    sensitive: bool = False
    """Shown masked; reading it is a permission and leaves an audit row."""

    def check(self, given: object) -> Answer:
        """Return the answer as it is kept. Raises AnswerRefused."""
        raise NotImplementedError

    def flaws(self) -> Sequence[tuple[str, str]]:
        """Return what is wrong with the declaration itself: (attribute, reason)."""
        return ()


class TextQuestion(Question, frozen=True, kw_only=True, tag="text"):
    """Words; `pattern` must match the whole of them."""

    at_most: int = 2000
    long: bool = False
    pattern: str = ""

    def check(self, given: object) -> Answer:
        """Return the words without blanks around them."""
        words = _words(given)
        if len(words) > self.at_most:
            raise AnswerRefused(f"at most {self.at_most} characters")
        if self.pattern and not re.fullmatch(self.pattern, words):
            raise AnswerRefused("does not have the expected form")
        return words

    def flaws(self) -> Sequence[tuple[str, str]]:
        """Return flaws of length and pattern."""
        found = [] if 1 <= self.at_most <= LONGEST_TEXT else [("at_most", f"must lie between 1 and {LONGEST_TEXT}")]
        try:
            re.compile(self.pattern)
        except re.error as error:
            found.append(("pattern", f"is no regular expression: {error}"))
        return found


class NumberQuestion(Question, frozen=True, kw_only=True, tag="number"):
    """A number with its unit; kept with at most `decimals` digits after the point."""

    unit: Text = Text()
    least: str = ""
    most: str = ""
    decimals: int = 0

    def check(self, given: object) -> Answer:
        """Return the number as decimal digits."""
        try:
            number = Decimal(str(given).strip())
        except InvalidOperation as error:
            raise AnswerRefused("a number is needed") from error
        if not number.is_finite() or isinstance(given, bool):
            raise AnswerRefused("a number is needed")
        if (self.least and number < Decimal(self.least)) or (self.most and number > Decimal(self.most)):
            raise AnswerRefused(f"must lie between {self.least or '-'} and {self.most or '-'}")
        exponent = number.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > self.decimals:
            raise AnswerRefused(f"at most {self.decimals} decimals")
        return format(number, "f")

    def flaws(self) -> Sequence[tuple[str, str]]:
        """Return flaws of the bounds."""
        bounds = [(name, value) for name, value in (("least", self.least), ("most", self.most)) if value]
        found = [(name, "is not a number") for name, value in bounds if not DECIMAL.fullmatch(value)]
        if not found and len(bounds) == 2 and Decimal(self.least) > Decimal(self.most):
            found.append(("most", "is less than the least"))
        return found if 0 <= self.decimals <= 9 else [*found, ("decimals", "must lie between 0 and 9")]


class ChoiceQuestion(Question, frozen=True, kw_only=True, tag="choice"):
    """One of several things."""

    choices: tuple[Choice, ...]

    def check(self, given: object) -> Answer:
        """Return the key that was chosen."""
        if given not in [choice.key for choice in self.choices]:
            raise AnswerRefused("is not one of the choices")
        return str(given)

    def flaws(self) -> Sequence[tuple[str, str]]:
        """Return flaws of the choices."""
        return choice_flaws(self.choices)


class ChoicesQuestion(Question, frozen=True, kw_only=True, tag="choices"):
    """Any of several things, in the order of the declaration."""

    choices: tuple[Choice, ...]
    at_most: int = 20

    def check(self, given: object) -> Answer:
        """Return the keys that were chosen."""
        wanted = _several(given)
        known = [choice.key for choice in self.choices]
        if not set(wanted) <= set(known):
            raise AnswerRefused("is not one of the choices")
        if len(set(wanted)) > self.at_most:
            raise AnswerRefused(f"at most {self.at_most}")
        return tuple(key for key in known if key in wanted)

    def flaws(self) -> Sequence[tuple[str, str]]:
        """Return flaws of the choices."""
        return choice_flaws(self.choices)


class DateQuestion(Question, frozen=True, kw_only=True, tag="date"):
    """A day (ISO 8601)."""

    def check(self, given: object) -> Answer:
        """Return the day as ``2026-11-22``."""
        try:
            return (given if isinstance(given, date) else date.fromisoformat(_words(given))).isoformat()
        except ValueError as error:
            raise AnswerRefused("a date such as 2026-11-22 is needed") from error


class PlaceQuestion(Question, frozen=True, kw_only=True, tag="place"):
    """Where; a point, words, or both."""

    def check(self, given: object) -> Answer:
        """Return the place."""
        try:
            place = given if isinstance(given, Place) else msgspec.convert(given, Place)
        except msgspec.ValidationError as error:
            raise AnswerRefused(str(error)) from error
        if (place.latitude is None) != (place.longitude is None) or (place.latitude is None and not place.address.strip()):
            raise AnswerRefused("a point or an address is needed")
        if place.latitude is not None and place.longitude is not None and not (abs(place.latitude) <= 90 and abs(place.longitude) <= 180):
            raise AnswerRefused("the point does not lie on Earth")
        return place


class PhotoQuestion(Question, frozen=True, kw_only=True, tag="photo"):
    """Pictures, by the keys that the room of files gave them."""

    at_most: int = 6

    def check(self, given: object) -> Answer:
        """Return the keys of the files."""
        keys = _several(given)
        if len(keys) > self.at_most:
            raise AnswerRefused(f"at most {self.at_most}")
        return keys


class AssetQuestion(Question, frozen=True, kw_only=True, tag="asset"):
    """A thing that is maintained or reports, of these kinds; any where none is named."""

    kinds: tuple[str, ...] = ()

    def check(self, given: object) -> Answer:
        """Return the asset's id; whether it exists and may be seen, the action asks."""
        return _id(given)


class PersonQuestion(Question, frozen=True, kw_only=True, tag="person"):
    """Somebody we serve."""

    def check(self, given: object) -> Answer:
        """Return the person's id; whether it exists and may be seen, the action asks."""
        return _id(given)


AnyQuestion = (
    TextQuestion
    | NumberQuestion
    | ChoiceQuestion
    | ChoicesQuestion
    | DateQuestion
    | PlaceQuestion
    | PhotoQuestion
    | AssetQuestion
    | PersonQuestion
)


def choice_flaws(choices: Sequence[Choice]) -> Sequence[tuple[str, str]]:
    """Return what is wrong with a list of choices."""
    keys = [choice.key for choice in choices]
    found = [(f"choices[{number}].key", "small letters, digits and _") for number, key in enumerate(keys) if not KEY.fullmatch(key)]
    found += [(f"choices[{number}].label", "has no words") for number, choice in enumerate(choices) if not choice.label]
    found += [("choices", "at least one is needed")] if not keys else []
    return [*found, ("choices", "two have the same key")] if len(set(keys)) < len(keys) else found


def check_answers(form: Sequence[AnyQuestion], given: Mapping[str, object], *, needed: Sequence[str] = ()) -> dict[str, Answer]:
    """Return the answers to the questions that are asked, as they are kept; answers to questions not asked are left out.

    `needed` are questions that must be answered beside the required ones. Raises AnswersRefused with every problem at once.
    """
    kept: dict[str, Answer] = {}
    problems = {key: "there is no such question" for key in given if key not in {question.key for question in form}}
    for question in form:
        if not holds(question.show_when, kept):
            continue
        value = given.get(question.key)
        if value is None or value == "" or value == () or value == []:
            if question.required or question.key in needed:
                problems[question.key] = "an answer is needed"
            continue
        try:
            kept[question.key] = question.check(value)
        except AnswerRefused as error:
            problems[question.key] = str(error)
    if problems:
        raise AnswersRefused(problems)
    return kept


def _words(given: object) -> str:
    if not isinstance(given, str) or not given.strip():
        raise AnswerRefused("words are needed")
    return given.strip()


def _several(given: object) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, list | tuple) or not all(isinstance(one, str | int) for one in given):
        raise AnswerRefused("a list is needed")
    return tuple(str(one) for one in given)


def _id(given: object) -> int:
    if isinstance(given, bool) or not re.fullmatch(r"\d{1,18}", str(given)):
        raise AnswerRefused("is not a number of one")
    return int(str(given))
