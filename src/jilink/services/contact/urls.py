"""Addresses of the contact pages: each module of pages ends with its own `patterns`."""

from django.urls import URLPattern

from jilink.services.contact.pages import (
    call,
    campaigns,
    capacity,
    contacts,
    desk,
    desk_preview,
    do_not_call,
    numbers,
    phones,
    planning,
    quality,
    quality_cards,
    queues,
    recordings,
    sites,
    statements,
    tariffs,
    trunks,
    visitors,
    visitors_live,
)

app_name = "contact"
urlpatterns: list[URLPattern] = [
    *desk.patterns,
    *queues.patterns,
    *numbers.patterns,
    *phones.patterns,
    *trunks.patterns,
    *call.patterns,
    *contacts.patterns,
    *sites.patterns,
    *capacity.patterns,
    *visitors_live.patterns,
    *visitors.patterns,
    *planning.patterns,
    *statements.patterns,
    *tariffs.patterns,
    *recordings.patterns,
    *quality.patterns,
    *quality_cards.patterns,
    *campaigns.patterns,
    *do_not_call.patterns,
    *desk_preview.patterns,
]
