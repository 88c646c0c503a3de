"""The questions of a case type: kinds of field, when each is asked, and what counts as an answer."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

import msgspec

from jilink.core.cases.rules.problems import Problem
from jilink.kernel.errors import Refused
from jilink.kernel.patterns import PatternRefused, check_pattern, fits
from jilink.kernel.texts import Text, gettext_noop

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
NO_QUESTION = gettext_noop("There is no such question.")
NEEDED = gettext_noop("Please answer this.")
NOT_ASKED = gettext_noop("With the other answers this question is not asked.")
KEY_WORDS = gettext_noop("A key is small letters, digits and _, beginning with a letter.")
LABEL_WORDS = gettext_noop("The label has no words.")
BETWEEN = gettext_noop("This must lie between %(least)s and %(most)s.")
TWICE = gettext_noop("%(key)s is there twice.")
ONE_NEEDED = gettext_noop("At least one is needed.")
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
    """Some answers do not fit. `problems` are the refusals by the key of their question."""

    def __init__(self, problems: "Mapping[str, AnswerRefused]") -> None:
        super().__init__("; ".join(f"{key}: {refusal}" for key, refusal in problems.items()))
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

    def flaws(self) -> Sequence[Problem]:
        """Return what is wrong with the declaration itself, by attribute."""
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
            raise AnswerRefused("At most %(most)s characters.", most=self.at_most)
        if self.pattern and not fits(self.pattern, words):
            raise AnswerRefused("This does not have the expected form.")
        return words

    def flaws(self) -> Sequence[Problem]:
        """Return flaws of length and pattern."""
        found = [] if 1 <= self.at_most <= LONGEST_TEXT else [Problem("at_most", BETWEEN, {"least": 1, "most": LONGEST_TEXT})]
        try:
            check_pattern(self.pattern)
        except PatternRefused as error:
            found.append(Problem("pattern", error.message, {name: str(value) for name, value in error.values.items()}))
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
            raise AnswerRefused("Please give a number.") from error
        if not number.is_finite() or isinstance(given, bool):
            raise AnswerRefused("Please give a number.")
        if (self.least and number < Decimal(self.least)) or (self.most and number > Decimal(self.most)):
            raise AnswerRefused("This must lie between %(least)s and %(most)s.", least=self.least or "-", most=self.most or "-")
        exponent = number.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > self.decimals:
            raise AnswerRefused("At most %(most)s digits after the point.", most=self.decimals)
        return format(number, "f")

    def flaws(self) -> Sequence[Problem]:
        """Return flaws of the bounds."""
        bounds = [(name, value) for name, value in (("least", self.least), ("most", self.most)) if value]
        found = [Problem(name, gettext_noop("This is not a number.")) for name, value in bounds if not DECIMAL.fullmatch(value)]
        if not found and len(bounds) == 2 and Decimal(self.least) > Decimal(self.most):
            found.append(Problem("most", gettext_noop("The most is less than the least.")))
        return found if 0 <= self.decimals <= 9 else [*found, Problem("decimals", BETWEEN, {"least": 0, "most": 9})]


class ChoiceQuestion(Question, frozen=True, kw_only=True, tag="choice"):
    """One of several things."""

    choices: tuple[Choice, ...]

    def check(self, given: object) -> Answer:
        """Return the key that was chosen."""
        if given not in [choice.key for choice in self.choices]:
            raise AnswerRefused("Please choose one of the answers.")
        return str(given)

    def flaws(self) -> Sequence[Problem]:
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
            raise AnswerRefused("Please choose one of the answers.")
        if len(set(wanted)) > self.at_most:
            raise AnswerRefused("Choose at most %(most)s of them.", most=self.at_most)
        return tuple(key for key in known if key in wanted)

    def flaws(self) -> Sequence[Problem]:
        """Return flaws of the choices."""
        return choice_flaws(self.choices)


class DateQuestion(Question, frozen=True, kw_only=True, tag="date"):
    """A day (ISO 8601)."""

    def check(self, given: object) -> Answer:
        """Return the day as ``2026-11-22``."""
        try:
            return (given if isinstance(given, date) else date.fromisoformat(_words(given))).isoformat()
        except ValueError as error:
            raise AnswerRefused("Please give a date such as 2026-11-22.") from error


class PlaceQuestion(Question, frozen=True, kw_only=True, tag="place"):
    """Where; a point, words, or both."""

    def check(self, given: object) -> Answer:
        """Return the place."""
        try:
            place = given if isinstance(given, Place) else msgspec.convert(given, Place)
        except msgspec.ValidationError as error:
            raise AnswerRefused("Please give a point or an address.") from error
        if (place.latitude is None) != (place.longitude is None) or (place.latitude is None and not place.address.strip()):
            raise AnswerRefused("Please give a point or an address.")
        if place.latitude is not None and place.longitude is not None and not (abs(place.latitude) <= 90 and abs(place.longitude) <= 180):
            raise AnswerRefused("This point does not lie on Earth.")
        return place


class PhotoQuestion(Question, frozen=True, kw_only=True, tag="photo"):
    """Pictures, by the keys that the room of files gave them."""

    at_most: int = 6

    def check(self, given: object) -> Answer:
        """Return the keys of the files."""
        keys = _several(given)
        if len(keys) > self.at_most:
            raise AnswerRefused("Choose at most %(most)s of them.", most=self.at_most)
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


def choice_flaws(choices: Sequence[Choice]) -> Sequence[Problem]:
    """Return what is wrong with a list of choices."""
    keys = [choice.key for choice in choices]
    found = [Problem(f"choices[{number}].key", KEY_WORDS) for number, key in enumerate(keys) if not KEY.fullmatch(key)]
    found += [Problem(f"choices[{number}].label", LABEL_WORDS) for number, choice in enumerate(choices) if not choice.label]
    found += [Problem(f"choices[{number}].key", TWICE, {"key": key}) for number, key in enumerate(keys) if key in keys[:number]]
    return found if keys else [Problem("choices", ONE_NEEDED)]


def check_answers(form: Sequence[AnyQuestion], given: Mapping[str, object], *, needed: Sequence[str] = ()) -> dict[str, Answer]:
    """Return the answers to the questions that are asked, as they are kept; answers to questions not asked are left out.

    `needed` are questions that must be answered beside the required ones. Raises AnswersRefused with every problem at once.
    """
    kept: dict[str, Answer] = {}
    problems = {key: AnswerRefused(NO_QUESTION) for key in given if key not in {question.key for question in form}}
    for question in form:
        if not holds(question.show_when, kept):
            continue
        value = given.get(question.key)
        if value is None or value == "" or value == () or value == []:
            if question.required or question.key in needed:
                problems[question.key] = AnswerRefused(NEEDED)
            continue
        try:
            kept[question.key] = question.check(value)
        except AnswerRefused as error:
            problems[question.key] = error
    if problems:
        raise AnswersRefused(problems)
    return kept


def _words(given: object) -> str:
    if not isinstance(given, str) or not given.strip():
        raise AnswerRefused("Please answer this.")
    return given.strip()


def _several(given: object) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, list | tuple) or not all(isinstance(one, str | int) for one in given):
        raise AnswerRefused("Please choose from the list.")
    return tuple(str(one) for one in given)


def _id(given: object) -> int:
    if isinstance(given, bool) or not re.fullmatch(r"\d{1,18}", str(given)):
        raise AnswerRefused("There is no such thing, or you may not see it.")
    return int(str(given))
