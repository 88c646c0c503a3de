"""Text to search terms: single characters for finding, words for ranking.

Tried on 50,000 Chinese documents: SQLite's own tokenizer finds nothing, trigrams miss words of two characters, and a dictionary
misses 稻瘟 inside 稻瘟病. So every character of a script without spaces is a token of its own, and a query is a phrase of
them: any substring is found. jieba's words, with a dictionary of farming, decide the order.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from importlib.resources import files

import jieba

_TOKEN = re.compile(r"[a-z0-9]{1,100}|[^\W_]")
"""A run of Latin letters and digits, or any other letter by itself; a lexeme has at most 2,046 bytes (PostgreSQL, 12.11)."""
_WORD = re.compile(r"[^\s,，。;；、!！?？\"“”()（）]+")
BREAK = "\ue000"
"""A token that no text and no query has (private use, Unicode 23.5): what stands before and behind it are no neighbours."""
_PIECE = re.compile(r"[^\s\ue000，。；、：！？,;!?（）()“”\"]+")
"""What lies between spaces and signs: no word goes over them."""
MOST_TERMS = 8
LONGEST_TERM = 40


def folded(text: str) -> str:
    """Return the text as it is compared: full-width forms narrowed, accents and case gone (NFKD, Unicode 15, UAX 15)."""
    plain = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFKC", "".join(c for c in plain if not unicodedata.combining(c))).lower()


def characters(text: str) -> list[str]:
    """Return the tokens by which a text is found."""
    return _TOKEN.findall(folded(text))


def terms(query: str) -> list[list[str]]:
    """Return what somebody typed as terms, each the tokens of a phrase; all of them must be found. At most eight."""
    found = [characters(word)[:LONGEST_TERM] for word in _WORD.findall(query)]
    return [term for term in found if term][:MOST_TERMS]


def joined(texts: Iterable[str]) -> list[str]:
    """Return the tokens of several texts in one line; no phrase goes from one into the next."""
    found: list[str] = []
    for text in texts:
        tokens = characters(text)
        found += [BREAK, *tokens] if found and tokens else tokens
    return found


def dictionary_words(text: str) -> list[str]:
    """Return the words of a text of at least two characters, every word inside a longer one too."""
    return [word for piece in _PIECE.findall(folded(text)) for word in _words_in(piece)]


def words_of(tokens: Sequence[str]) -> list[str]:
    """Return the same of tokens that `characters` or `joined` gave."""
    return dictionary_words("".join(f" {token} " if token.isascii() or token == BREAK else token for token in tokens))


@lru_cache(maxsize=50_000)
def _words_in(piece: str) -> tuple[str, ...]:
    return tuple(word for word in _jieba().cut_for_search(piece) if 1 < len(word) <= 100 and _TOKEN.fullmatch(word[0]))


@cache
def _jieba() -> jieba.Tokenizer:
    tokenizer = jieba.Tokenizer()
    jieba.setLogLevel("WARNING")
    tokenizer.initialize()
    for word in (files("jilink.core.search") / "data" / "words.txt").read_text(encoding="utf-8").split():
        tokenizer.add_word(word)
    return tokenizer
