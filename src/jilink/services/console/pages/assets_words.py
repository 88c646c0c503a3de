"""What assets and their kinds are called on pages."""

from collections.abc import Mapping

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from jilink.core.assets.inventory import reads
from jilink.core.assets.inventory.actions import OF_SERVICES
from jilink.core.assets.kinds import Attribute, ChoiceAttribute, FlagAttribute, Kind, NumberAttribute, Value
from jilink.core.parties.access import Actor, NotFound


def language() -> str:
    """Return the viewer's language."""
    return get_language() or "zh-hans"


def kind_titles(actor: Actor) -> dict[str, str]:
    """Return the titles of the kinds the actor's organisations know, by key; those of services are not among them."""
    try:
        views = reads.kinds_of(actor)
    except NotFound:
        return {}
    return {view.key: view.kind.title.in_(language()) for view in views if view.key not in OF_SERVICES}


def shown_value(attribute: Attribute, value: Value) -> str:
    """Return a value as people read it."""
    if isinstance(attribute, ChoiceAttribute):
        chosen = attribute.choices.get(str(value))
        return chosen.in_(language()) if chosen else str(value)
    if isinstance(attribute, FlagAttribute):
        return _("yes") if value else _("no")
    if isinstance(attribute, NumberAttribute):
        number = f"{value:g}" if isinstance(value, int | float) else str(value)
        return f"{number} {attribute.unit}".rstrip()
    return str(value)


def shown_attributes(kind: Kind | None, values: Mapping[str, Value]) -> list[tuple[str, str]]:
    """Return title and value of each attribute that an asset has, in the order of its kind; what the kind no longer knows comes last."""
    known = kind.attributes if kind else ()
    listed = [(each.title.in_(language()), shown_value(each, values[each.key])) for each in known if each.key in values]
    strange = [(key, str(value)) for key, value in values.items() if key not in {each.key for each in known}]
    return [*listed, *strange]
