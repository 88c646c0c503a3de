"""Addresses of the contact pages: each module of pages ends with its own `patterns`."""

from django.urls import URLPattern

from jilink.services.contact.pages import desk

app_name = "contact"
urlpatterns: list[URLPattern] = [*desk.patterns]
