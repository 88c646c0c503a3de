"""Write the reference pages: `python -m jilink.site.reference [FOLDER]`, by default docs/reference."""

import sys
from pathlib import Path

from jilink.site.reference import write

for changed in write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference")):
    sys.stdout.write(f"wrote {changed}\n")
