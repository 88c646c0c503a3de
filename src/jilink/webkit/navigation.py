"""The entries of the navigation: each service registers its own, the shell shows those the viewer may open."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

WORK, CONTACT, VEHICLES, ADMINISTRATION = "work", "contact", "vehicles", "administration"
GROUPS: dict[str, str | Promise] = {
    WORK: _("Work"),
    CONTACT: _("Contact centre"),
    VEHICLES: _("Vehicles"),
    ADMINISTRATION: _("Administration"),
}
"""The groups of the navigation, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the navigation. `url_name` takes no arguments; `permission` empty means everyone signed in.

    `useful` is where a function stands that is given the account and says whether the page is of any use to it now; "" where it always is.
    """

    title: str | Promise
    url_name: str
    icon: str
    permission: str = ""
    order: int = 50
    group: str = ADMINISTRATION
    useful: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as one viewer meets it on one page."""

    title: str | Promise
    url: str
    icon: str
    current: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A group of links, with the name that stands above it."""

    key: str
    title: str | Promise
    links: list[Link]


_entries: list[Entry] = []
_searches: list[str] = []
_bells: list[tuple[str, str, str, str]] = []


def register(*entries: Entry) -> None:
    """Add entries; called once from a service's `AppConfig.ready`. The same `url_name` again replaces the first."""
    for entry in entries:
        _entries[:] = [known for known in _entries if known.url_name != entry.url_name]
        _entries.append(entry)
    _entries.sort(key=lambda entry: entry.order)


def searches_at(url_name: str) -> None:
    """Say where Ctrl-K searches; called once from the `AppConfig.ready` of the service that can."""
    _searches[:] = [url_name]


def search_address(request: HttpRequest) -> str:
    """Return where this viewer's Ctrl-K searches, "" where nobody signed in or nothing searches."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not _searches:
        return ""
    return _address(_searches[0])


@dataclass(frozen=True, slots=True)
class Bell:
    """What waits for a viewer: where it is read, how much, and where a script asks again (JSON ``{"unread": 2}``)."""

    url: str
    count: int
    news: str


def rings_at(url_name: str, news: str, permission: str, unread: str) -> None:
    """Say where the bell of the shell leads and who has one; called once from `AppConfig.ready`.

    `unread` is where the function stands that counts what waits for an account's number.
    """
    _bells[:] = [(url_name, news, permission, unread)]


def bell(request: HttpRequest) -> Bell | None:
    """Return this viewer's bell, None where nobody signed in or nothing ever rings for them."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not _bells:
        return None
    url_name, news, permission, unread = _bells[0]
    return Bell(_address(url_name), import_string(unread)(user.pk), _address(news)) if user.has_perm(permission) else None


def _address(url_name: str) -> str:
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


def links(request: HttpRequest) -> list[Link]:
    """Return what this viewer may open, in order; the deepest entry that the current path lies under is marked current."""
    return [link for _entry, link in _links(request)]


def groups(request: HttpRequest) -> list[Group]:
    """Return the same by groups; a group in which the viewer may open nothing is left out."""
    found = _links(request)
    made = [Group(key, title, [link for entry, link in found if entry.group == key]) for key, title in GROUPS.items()]
    return [group for group in made if group.links]


def _links(request: HttpRequest) -> list[tuple[Entry, Link]]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    held = {permission: user.has_perm(permission) for permission in {entry.permission for entry in _entries} if permission}
    permitted = [entry for entry in _entries if held.get(entry.permission, True)]
    of_use = {asked: import_string(asked)(user) for asked in {entry.useful for entry in permitted} if asked}
    allowed = [(entry, url) for entry in permitted if of_use.get(entry.useful, True) and (url := _address(entry.url_name))]
    under = [url for _entry, url in allowed if request.path == url or request.path.startswith(url)]
    deepest = max(under, key=len, default="")
    return [(entry, Link(entry.title, url, entry.icon, url == deepest)) for entry, url in allowed]
