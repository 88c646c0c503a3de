"""What somebody typed, as what must be found and what decides the order."""

from functools import cached_property

from jilink.core.search import words

MOST_WORDS = 16


class Query:
    """What somebody typed: phrases that must be there, and words that count."""

    def __init__(self, text: str) -> None:
        self.phrases = words.terms(text)
        self._text = text

    @cached_property
    def words(self) -> list[str]:
        """Return the dictionary's words in it."""
        return list(dict.fromkeys(words.dictionary_words(self._text)))[:MOST_WORDS]
