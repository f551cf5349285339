"""Overlay mounts, made in a mount namespace of one's own so that they end with the last process in it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.lab.paths import CHECKOUT
from tests.lab.programs import run

UNSHARE: Final = ["unshare", "--mount", "--propagation", "private", "--"]


def mount(folder: Path, lowers: Sequence[str]) -> Path:
    """Mount FOLDER/upper over the layers, the first on top, and return the merged root."""
    for part in ("upper", "work", "root"):
        (folder / part).mkdir(exist_ok=True)
    options = f"lowerdir={':'.join(lowers)},upperdir={folder}/upper,workdir={folder}/work"
    run(["mount", "-t", "overlay", "-o", options, "lab", str(folder / "root")])
    return folder / "root"


def run_inside(folder: Path, lowers: Sequence[Path], argv: Sequence[str]) -> None:
    """Run a program in the layers; what it writes is left in FOLDER/upper."""
    module = [sys.executable, "-m", "tests.lab.inside", str(folder), ":".join(map(str, lowers)), "--"]
    try:
        run([*UNSHARE, *module, *argv], cwd=CHECKOUT, shown_as=argv)
    finally:
        # Overlayfs leaves work/work without any permission bits; only its emptiness matters here.
        for left in (folder / "work" / "work", folder / "work", folder / "root"):
            if left.is_dir() and not any(left.iterdir()):
                left.rmdir()
