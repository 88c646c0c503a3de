"""Words that operators write in both languages: names of stages, questions, articles."""

import msgspec


class Text(msgspec.Struct, frozen=True):
    """The same words in Simplified Chinese and English. One may be missing; then the other stands for it."""

    zh: str = ""
    en: str = ""

    def in_(self, language: str) -> str:
        """Return the words for a language tag (``zh-hans``, ``en``), or those of the other language where it has none."""
        chinese = language.lower().startswith("zh")
        return (self.zh or self.en) if chinese else (self.en or self.zh)

    def __str__(self) -> str:
        return self.in_("en")

    def __bool__(self) -> bool:
        return bool(self.zh or self.en)


def gettext_noop(words: str) -> str:
    """Return the words as they are: marks them for the catalogue of translations where rules, which know no Django, say them."""
    return words
