"""python -m docs.man FOLDER: what a package installs besides code."""

from __future__ import annotations

import sys
from pathlib import Path

from docs.man import checks, commands, settings


def main() -> int:
    """Write every generated file into the folder."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    made = {
        "hostagent.1": commands.page(),
        "hostagent-checks.7": checks.page(),
        "hostagent.toml.5": settings.page(),
        "hostagent.toml": settings.default_file(),
        "hostagent.bash": commands.completion(),
    }
    for name, text in made.items():
        (folder / name).write_text(text)
    return 0


raise SystemExit(main())
