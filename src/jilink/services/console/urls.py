"""Addresses of the console: each module of pages ends with its own `patterns`."""

from django.urls import URLPattern, URLResolver, include, path

from jilink.services.console.pages import knowledge, members

app_name = "console"
urlpatterns: list[URLPattern | URLResolver] = [
    path("knowledge/", include(knowledge.patterns)),
    path("organisations/", include(members.patterns)),
]
