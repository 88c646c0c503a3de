"""Put the compiled front end and translations into the wheel (an editable install uses what `make` built in place)."""

import subprocess
import sys
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AssetsHook(BuildHookInterface):  # type: ignore[type-arg]  # -- its configuration type is of no use here
    """Build what the wheel holds beside Python."""

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Run the front-end build and compile the translations."""
        if version == "editable":
            return
        root = Path(self.root)
        subprocess.run([sys.executable, str(root / "frontend/build.py")], check=True)
        subprocess.run(
            [sys.executable, "-m", "babel.messages.frontend", "--quiet", "compile", "-D", "django", "-d", "src/jilink/webkit/locale"],
            cwd=root,
            check=True,
        )
