"""The ASGI application: pages, API and live streams."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jilink.site.settings")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
