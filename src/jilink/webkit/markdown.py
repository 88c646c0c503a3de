"""Markdown as HTML, without any HTML of its writer's.

CommonMark 0.31 with tables and strikethrough. Links lead to the web, to mail, to a telephone or into this installation; pictures are
those attached to what was written (``![caption](files/12)``), anything else becomes a link.
"""

import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

_ALLOWED = re.compile(r"(?:https?://|mailto:|tel:|#|/(?!/)|files/\d+\Z)", re.IGNORECASE)
_OWN_FILE = re.compile(r"files/(\d+)")


class Renderer(RendererHTML):
    """HTML of the tokens, with the article's own pictures; `env` carries the address of its files."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Show a picture of the article, or link to what lies elsewhere."""
        token = tokens[idx]
        source = str(token.attrs.get("src", ""))
        caption = self.renderInlineAsText(token.children, options, env) if token.children else ""
        own = _OWN_FILE.fullmatch(source)
        if own and env.get("files"):
            return str(format_html('<img src="{}{}" alt="{}" loading="lazy">', env["files"], own[1], caption))
        return str(format_html('<a href="{}" rel="noopener noreferrer">{}</a>', source, caption or source))

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Open a link that tells the other side nothing of this one."""
        href = str(tokens[idx].attrs.get("href", ""))
        own = _OWN_FILE.fullmatch(href)
        if own and env.get("files"):
            return str(format_html('<a href="{}{}">', env["files"], own[1]))
        return str(format_html('<a href="{}" rel="noopener noreferrer">', href))

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """Begin a table that scrolls by itself on a phone."""
        return '<div class="table-wrap" tabindex="0"><table class="table">'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        """End a table."""
        return "</table></div>"


class Markdown(MarkdownIt):
    """Markdown whose links lead nowhere else."""

    def validateLink(self, url: str) -> bool:
        """Return whether a link may lead there."""
        return _ALLOWED.match(url) is not None


markdown = Markdown("commonmark", {"html": False}, renderer_cls=Renderer).enable(["table", "strikethrough"])


def rendered(body: str, files: str = "") -> SafeString:
    """Return a body as HTML, its first level of headings as h2. `files` is the address before the number of an attached file."""
    env: dict[str, Any] = {"files": files}
    tokens = markdown.parse(body, env)
    heads = [token for token in tokens if token.type in ("heading_open", "heading_close")]
    first = min((int(token.tag[1]) for token in heads), default=2)
    for token in heads:
        token.tag = f"h{min(6, int(token.tag[1]) - first + 2)}"
    for token in tokens:  # alignment of cells comes as inline style, which the content security policy refuses
        if token.type in ("th_open", "td_open") and "style" in token.attrs:
            token.attrs = {"class": "right"} if "right" in str(token.attrs["style"]) else {}
    return SafeString(markdown.renderer.render(tokens, markdown.options, env))
