"""The ASGI application: pages, API and live streams."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jilink.site.settings")

from django.core.asgi import get_asgi_application

from jilink.site.bodies import bounded

application = bounded(get_asgi_application())
