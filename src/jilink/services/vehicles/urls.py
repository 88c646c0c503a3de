"""Addresses of the vehicles service."""

from django.urls import path

from jilink.services.vehicles.pages import alarms, entry, fleet, media, organisations, rules, terminals, vehicle

app_name = "vehicles"
urlpatterns = [
    path("", fleet.fleet_map, name="map"),
    path("live", fleet.live, name="live"),
    path("names", fleet.names, name="names"),
    path("add", entry.add, name="add"),
    path("import", entry.import_vehicles, name="import"),
    path("export.csv", entry.export, name="export"),
    path("waiting", terminals.waiting, name="waiting"),
    path("waiting/admit", terminals.admit, name="admit"),
    path("waiting/reveal", terminals.reveal_waiting, name="reveal_waiting"),
    path("waiting/dismiss", terminals.dismiss, name="dismiss"),
    path("waiting/policy", terminals.admission_policy, name="policy"),
    path("organisations", organisations.settings, name="organisations"),
    path("organisations/retention", organisations.retention, name="retention"),
    path("organisations/recordings", organisations.media_retention, name="media_retention"),
    path("organisations/admission", organisations.admission, name="admission"),
    path("quarantine", terminals.quarantine, name="quarantine"),
    path("alarms", alarms.alarms, name="all_alarms"),
    path("alarms/news", alarms.news, name="alarm_news"),
    path("alarms/acknowledge", alarms.acknowledge_many, name="acknowledge_many"),
    path("alarms/undo/<int:moment>", alarms.undo, name="undo_acknowledgement"),
    path("alarms/rules", rules.rules, name="rules"),
    path("alarms/rules/add/<slug:name>", rules.add, name="add_rule"),
    path("alarms/rules/<int:rule>", rules.edit, name="rule"),
    path("alarms/rules/<int:rule>/remove", rules.remove, name="remove_rule"),
    path("alarms/<int:alarm>/acknowledge", vehicle.acknowledge, name="acknowledge"),
    path("<int:asset>/", vehicle.vehicle, name="vehicle"),
    path("<int:asset>/card", fleet.card, name="card"),
    path("<int:asset>/latest", vehicle.latest, name="latest"),
    path("<int:asset>/reveal", vehicle.reveal, name="reveal"),
    path("<int:asset>/alarms", vehicle.alarms, name="alarms"),
    path("<int:asset>/commands", vehicle.commands, name="commands"),
    path("<int:asset>/commands/<slug:name>", vehicle.command, name="command"),
    path("<int:asset>/track", vehicle.track_page, name="track"),
    path("<int:asset>/track.json", vehicle.track_data, name="track_data"),
    path("<int:asset>/media", media.gallery, name="media"),
    path("<int:asset>/media/<int:media>", media.recording, name="recording"),
    path("<int:asset>/frames", terminals.vehicle_frames, name="frames"),
    path("<int:asset>/record", terminals.record, name="record"),
    path("<int:asset>/edit", entry.edit, name="edit"),
    path("<int:asset>/remove", entry.remove, name="remove"),
]
