"""The Django application of the vehicles service."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from jilink.webkit import navigation
from jilink.webkit.navigation import Entry


class VehiclesConfig(AppConfig):
    """Fleets: live map, tracks, alarms, commands, terminals."""

    name = "jilink.services.vehicles"
    label = "vehicles"

    def ready(self) -> None:
        """Put this service's pages into the navigation."""
        useful = "jilink.services.vehicles.reads.use.has_vehicles"
        navigation.register(
            Entry(_("Map"), "vehicles:map", "map", "vehicles.view", 10, navigation.VEHICLES, useful),
            Entry(_("Alarms"), "vehicles:all_alarms", "alarm", "vehicles.view", 15, navigation.VEHICLES, useful),
            Entry(_("Waiting terminals"), "vehicles:waiting", "target", "terminals.admit", 20, navigation.VEHICLES),
            Entry(_("Unreadable frames"), "vehicles:quarantine", "frames", "frames.read", 30, navigation.VEHICLES),
            Entry(_("Vehicle settings"), "vehicles:settings", "clock", "members.manage", 40, navigation.VEHICLES, useful),
            Entry(_("Operations"), "operations", "pulse", "operations.view", 90, navigation.ADMINISTRATION),
        )
