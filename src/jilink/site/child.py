"""How the supervisor starts a command: ``python -m jilink.site.child PARENT ARGUMENTS...``; it ends with its parent."""

import sys

from jilink.site.cli import main
from jilink.site.processes import die_with

if __name__ == "__main__":
    die_with(int(sys.argv[1]))
    main(sys.argv[2:])
