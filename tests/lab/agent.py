"""The third layer: hostagent from this checkout, byte-compiled with the node's own Python."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.lab import cache, overlay
from tests.lab.paths import CHECKOUT, digest, tree_digest
from tests.lab.programs import LabError, ProgramError

_PACKAGES: Final = "usr/lib/python3/dist-packages"
_SOURCES: Final = [CHECKOUT / name for name in ("hostagent", "checks", "units", "pyproject.toml")]
_COMMAND: Final = """#!/usr/bin/python3
from hostagent.cli import main

raise SystemExit(main())
"""


def agent(lowers: Sequence[Path]) -> Path:
    """Return the folder of the layer that holds this checkout's hostagent."""
    sources = [path for path in _SOURCES if path.exists()]

    def build(folder: Path, _lock: int) -> None:
        _build(lowers, folder)

    key = digest(*(lower.parent.name for lower in lowers), tree_digest(*sources, Path(__file__)))
    return cache.layer("agent", key, build) / "upper"


def _build(lowers: Sequence[Path], folder: Path) -> None:
    packages = folder / "upper" / _PACKAGES
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "hostagent", packages / "hostagent", ignore=without)
    # As the wheel does it: pyproject.toml, force-include.
    shutil.copytree(CHECKOUT / "checks", packages / "hostagent" / "checks", ignore=without)
    said = re.search(r'__version__ = "([^"]+)"', (CHECKOUT / "hostagent/__init__.py").read_text())
    version = said[1] if said else "0"
    info = packages / f"hostagent-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: hostagent\nVersion: {version}\n")
    command = folder / "upper/usr/bin/hostagent"
    command.parent.mkdir()
    command.write_text(_COMMAND)
    command.chmod(0o755)
    compile_all = ["python3", "-m", "compileall", "-q", f"/{_PACKAGES}/hostagent"]
    try:
        overlay.run_inside(folder, lowers, compile_all)
    except ProgramError as error:
        words = " ".join((error.stdout + error.stderr).replace("*** ", "").split())
        raise LabError(f"hostagent does not compile: {words}") from None
