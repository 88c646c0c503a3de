"""Addresses of the console: each module of pages ends with its own `patterns`."""

from django.urls import URLPattern, URLResolver, include, path

from jilink.services.console.pages import (
    areas,
    assets,
    assignment_rules,
    audit,
    case,
    case_types,
    contacts,
    flows,
    imports,
    inbox,
    knowledge,
    live,
    members,
    notices,
    people,
    reports,
    search,
    tokens,
    webhooks,
)

app_name = "console"
urlpatterns: list[URLPattern | URLResolver] = [
    path("areas/", include(areas.patterns)),
    path("assets/", include(assets.patterns)),
    *inbox.patterns,
    *live.patterns,
    *notices.patterns,
    *search.patterns,
    path("cases/", include(case.patterns)),
    path("people/", include(people.patterns)),
    path("contacts/", include(contacts.patterns)),
    path("knowledge/", include(knowledge.patterns)),
    path("organisations/", include([*members.patterns, *tokens.patterns])),
    path("case-types/", include(case_types.patterns)),
    path("flows/", include(flows.patterns)),
    path("assignment/", include(assignment_rules.patterns)),
    path("reports/", include(reports.patterns)),
    path("imports/", include(imports.patterns)),
    path("audit/", include(audit.patterns)),
    path("webhooks/", include(webhooks.patterns)),
]
