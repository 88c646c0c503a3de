"""The entries of the navigation: each service registers its own, the shell shows those the viewer may open."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the navigation. `url_name` takes no arguments; `permission` empty means everyone signed in."""

    title: str | Promise
    url_name: str
    icon: str
    permission: str = ""
    order: int = 50


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as one viewer meets it on one page."""

    title: str | Promise
    url: str
    icon: str
    current: bool


_entries: list[Entry] = []


def register(*entries: Entry) -> None:
    """Add entries; called once from a service's `AppConfig.ready`. The same `url_name` again replaces the first."""
    for entry in entries:
        _entries[:] = [known for known in _entries if known.url_name != entry.url_name]
        _entries.append(entry)
    _entries.sort(key=lambda entry: entry.order)


def links(request: HttpRequest) -> list[Link]:
    """Return what this viewer may open, in order; the deepest entry that the current path lies under is marked current."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    found: list[tuple[Entry, str]] = []
    for entry in _entries:
        if entry.permission and not user.has_perm(entry.permission):
            continue
        try:
            found.append((entry, reverse(entry.url_name)))
        except NoReverseMatch:
            continue
    under = [url for _, url in found if request.path == url or request.path.startswith(url)]
    deepest = max(under, key=len, default="")
    return [Link(entry.title, url, entry.icon, url == deepest) for entry, url in found]
