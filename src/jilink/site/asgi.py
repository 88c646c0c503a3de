"""The ASGI application: pages, API and live streams."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jilink.site.settings")

from django.core.asgi import get_asgi_application

from jilink.kernel.settings import Settings
from jilink.site.bodies import bounded
from jilink.site.proxies import behind, networks

application = behind(networks(Settings.from_environment().web_proxies), bounded(get_asgi_application()))
