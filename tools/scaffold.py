"""Lay a new service with every file a reader expects: ``make service NAME=parking``."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

FILES = {
    "__init__.py": '"""{title}: what it promises stands in README.md."""\n',
    "apps.py": '"""Django application of the {name} service."""\n\nfrom django.apps import AppConfig\n\n\nclass {camel}Config(AppConfig):\n    """The {name} service."""\n\n'
    '    name = "jilink.services.{name}"\n    default_auto_field = "django.db.models.BigAutoField"\n',
    "README.md": "# {title}\n\nPromise: what people can rely on.\n\nEvents: what it publishes.\n\nRules: what decides.\n",
    "models.py": '"""Tables and constraints of the {name} service; no behaviour."""\n',
    "rules.py": '"""Pure decisions of the {name} service: no Django, clock or I/O. State tables live here."""\n',
    "events.py": '"""What happened, in the past tense, as frozen facts."""\n',
    "reads.py": '"""Every query that pages, API and reactions may ask."""\n',
    "actions.py": '"""The only writers: one call, one transaction."""\n',
    "reactions.py": '"""Handlers of events; running twice changes nothing."""\n',
    "pages.py": '"""Pages: parse, one action or read, render."""\n',
    "urls.py": '"""Addresses of the {name} pages."""\n\nfrom django.urls import URLPattern\n\napp_name = "{name}"\nurlpatterns: list[URLPattern] = []\n',
    "api.py": '"""The same for programs."""\n\nfrom ninja import Router\n\nrouter = Router(tags=["{name}"])\n',
}


def main(name: str) -> int:
    """Write the files; refuse a bad name or a room that stands already."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{2,30}", name):
        sys.stderr.write("usage: make service NAME=parking (lower-case letters, digits, underscores)\n")
        return 2
    room = ROOT / "src" / "jilink" / "services" / name
    if room.exists():
        sys.stderr.write(f"services/{name} stands already; nothing was changed\n")
        return 2
    words = {"name": name, "title": name.replace("_", " ").capitalize(), "camel": name.title().replace("_", "")}
    for file, text in FILES.items():
        path = room / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(**words))
    sys.stdout.write(f"laid src/jilink/services/{name}: add jilink.services.{name} to INSTALLED_APPS and its urls and router in site\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
