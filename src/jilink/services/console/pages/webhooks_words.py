"""Kinds of events and states of deliveries in words."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from jilink.core.webhooks.actions import TEST_KIND
from jilink.core.webhooks.rules import DeliveryState

NOUN_WORDS: dict[str, Promise] = {
    "areas": _("Areas"),
    "assets": _("Assets"),
    "case": _("Cases"),
    "import": _("Imports"),
    "interaction": _("Contacts"),
    "knowledge": _("Knowledge"),
    "person": _("People"),
}

KIND_WORDS: dict[str, Promise] = {
    "areas.layer_loaded": _("Areas were loaded"),
    "areas.responsibility_changed": _("Another unit became responsible for an area"),
    "assets.asset_added": _("An asset was added"),
    "assets.asset_changed": _("An asset was changed"),
    "assets.asset_removed": _("An asset was removed"),
    "case.reply_written": _("A reply waits for whoever sends it"),
    "import.ended": _("An import ended"),
    "interaction.began": _("A contact began"),
    "interaction.ended": _("A contact ended"),
    "interaction.part_added": _("Something was said in a contact"),
    "knowledge.article_published": _("An article was published"),
    "knowledge.article_retired": _("An article was withdrawn"),
    "person.added": _("A person was added"),
    "person.changed": _("A person was changed"),
    "person.erased": _("A person was erased"),
    "person.merged": _("Two people became one"),
    "person.parted": _("A merge was undone"),
    TEST_KIND: _("Test"),
}
"""Every kind that may leave the installation; a test fails while one is missing."""


@dataclass(frozen=True, slots=True)
class StateWord:
    """What became of a delivery."""

    word: Promise
    tone: str


STATE_WORDS: dict[DeliveryState, StateWord] = {
    DeliveryState.WAITING: StateWord(_("Waiting"), "info"),
    DeliveryState.DELIVERED: StateWord(_("Delivered"), "good"),
    DeliveryState.DEAD: StateWord(_("Given up"), "bad"),
}
