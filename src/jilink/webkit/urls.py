"""Addresses of the shell: the basemap's files."""

from django.urls import path

from jilink.webkit import pages

app_name = "webkit"
urlpatterns = [path("basemap/<str:name>", pages.basemap_file, name="basemap")]
