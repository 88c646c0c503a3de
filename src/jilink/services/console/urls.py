"""Addresses of the console: each module of pages ends with its own `patterns`."""

from django.urls import URLPattern, URLResolver

app_name = "console"
urlpatterns: list[URLPattern | URLResolver] = []
