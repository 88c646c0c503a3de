"""What comes with Jilink as data: China's published holidays. Operators load their own beside it."""

from functools import cache
from importlib.resources import files

from jilink.core.cases.rules.calendar import CalendarData, decode_calendar


@cache
def china() -> CalendarData:
    """Return China's working calendar as far as it has been announced by the State Council, with office hours of Jilin."""
    return decode_calendar(files(__package__).joinpath("data", "china.json").read_bytes())
