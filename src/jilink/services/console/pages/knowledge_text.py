"""Articles as words and HTML (`webkit.markdown`): differences between versions, and what a search found."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString
from markdown_it.token import Token

from jilink.core.search import words
from jilink.core.search.index import excerpt
from jilink.webkit.markdown import markdown, rendered

_MOST_LINES = 4_000

__all__ = ["Line", "compared", "found", "marked", "plain", "rendered"]


def plain(body: str) -> str:
    """Return the words of a body without its marks."""
    return " ".join(_inline(markdown.parse(body)))


def _inline(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield "".join(child.content if child.type != "softbreak" else " " for child in token.children or ())
        elif token.type in ("fence", "code_block"):
            yield token.content.strip()


def found(bodies: Sequence[str], query: str) -> SafeString:
    """Return the piece of the first body that holds the query, or of the first one, with what was looked for marked."""
    texts = [plain(body) for body in bodies if body]
    terms = ["".join(term) for term in words.terms(query)]
    best = next((text for text in texts if any(_places(text, term) for term in terms)), texts[0] if texts else "")
    return marked(excerpt(best, query), query)


def marked(text: str, query: str) -> SafeString:
    """Return a text with every piece that fits the query marked."""
    spans = sorted(span for term in words.terms(query) for span in _places(text, "".join(term)))
    out, at = [], 0
    for start, end in spans:
        if start >= at:
            out.append(format_html("{}<mark>{}</mark>", text[at:start], text[start:end]))
            at = end
    return SafeString("".join([*out, escape(text[at:])]))


def _places(text: str, term: str) -> list[tuple[int, int]]:
    """Return where a folded term stands in a text that is not: each character is folded by itself, so that places stay true."""
    low = "".join(each if len(each) == 1 else "\0" for each in map(words.folded, text))
    return [(match.start(), match.end()) for match in re.finditer(re.escape(term), low)]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a comparison: ``same``, ``gone`` or ``new``, and its text with the changed characters marked."""

    kind: str
    text: SafeString


def compared(old: str, new: str) -> list[Line]:
    """Return the lines of two texts with what changed; long unchanged stretches are cut to two lines on either side."""
    before, after = old.splitlines()[:_MOST_LINES], new.splitlines()[:_MOST_LINES]
    lines: list[Line] = []
    for kind, one, two, three, four in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            lines += _kept(before[one:two])
        else:
            lines += _changed(before[one:two], after[three:four])
    return lines


def _kept(lines: list[str]) -> list[Line]:
    shown = [Line("same", SafeString(escape(line))) for line in lines]
    return shown if len(shown) <= 6 else [*shown[:2], Line("gap", SafeString("⋯")), *shown[-2:]]


def _changed(old: list[str], new: list[str]) -> list[Line]:
    pairs = [_inside(a, b) for a, b in zip(old, new, strict=False)]
    gone = [pair[0] for pair in pairs] + [SafeString(escape(line)) for line in old[len(pairs) :]]
    made = [pair[1] for pair in pairs] + [SafeString(escape(line)) for line in new[len(pairs) :]]
    return [*(Line("gone", line) for line in gone), *(Line("new", line) for line in made)]


def _inside(old: str, new: str) -> tuple[SafeString, SafeString]:
    """Return two lines with the characters that differ marked, where enough of them is the same to be worth it."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if len(old) + len(new) > 4_000 or matcher.quick_ratio() < 0.4:
        return SafeString(escape(old)), SafeString(escape(new))
    codes = matcher.get_opcodes()
    left = format_html_join("", "{}", ((_bit("del", old[a:b], kind),) for kind, a, b, _c, _d in codes))
    right = format_html_join("", "{}", ((_bit("ins", new[c:d], kind),) for kind, _a, _b, c, d in codes))
    return left, right


def _bit(tag: str, text: str, kind: str) -> SafeString:
    if kind == "equal" or not text:
        return SafeString(escape(text))
    return format_html(f"<{tag}>{{}}</{tag}>", text)
