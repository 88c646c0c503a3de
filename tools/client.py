"""Generate the typed Python client of the API from its own description: `python tools/client.py FOLDER` makes FOLDER/jilink_client."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import django

CONFIG = "project_name_override: jilink-client\npackage_name_override: jilink_client\npost_hooks: []\n"


def description() -> str:
    """Return the OpenAPI document of this version."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jilink.site.settings")
    django.setup()
    from jilink.site.api import api  # noqa: PLC0415 -- Django must be set up first

    return json.dumps(api.get_openapi_schema(), default=str, ensure_ascii=False)


def generate(folder: Path) -> Path:
    """Write the package `jilink_client` into a folder and return where it lies."""
    package = folder / "jilink_client"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        document, config = Path(place, "openapi.json"), Path(place, "config.yml")
        document.write_text(description())
        config.write_text(CONFIG)
        program = [sys.executable, "-m", "openapi_python_client", "generate", "--overwrite", "--meta", "none"]
        subprocess.run(
            [*program, "--path", str(document), "--config", str(config), "--output-path", str(package)], check=True, capture_output=True
        )
    return package


if __name__ == "__main__":
    sys.stdout.write(f"{generate(Path(sys.argv[1]))}\n")
