"""The third layer: hostagent from this checkout, as the Debian package that `make deb` builds."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.lab import cache, overlay
from tests.lab.paths import CHECKOUT, digest, tree_digest
from tests.lab.programs import LabError, ProgramError, run

_BUILD: Final = CHECKOUT / "packaging/deb/build"
# What packaging/deb/build copies.
_SOURCES: Final = [
    CHECKOUT / name
    for name in (
        "hostagent",
        "checks",
        "units",
        "docs/man",
        "packaging/deb",
        "packaging/prometheus",
        "pyproject.toml",
        "CHANGELOG.md",
    )
]
# The image excludes documentation; the package is to be whole.
INSTALL: Final = (
    "dpkg",
    "--install",
    "--force-confdef",
    "--force-confold",
    "--path-include=/usr/share/man/*",
    "--path-include=/usr/share/doc/hostagent/*",
)


def package(version: str | None = None) -> Path:
    """Return this checkout's .deb, built if missing; with `version` one that says it is that version."""
    argv = [str(_BUILD), *(["--version", version] if version else [])]

    def build(folder: Path, _lock: int) -> None:
        try:
            built = run([*argv, "--into", str(folder)], timeout=600).stdout.strip()
        except ProgramError as error:
            words = "\n".join(error.stderr.splitlines()[-15:])
            raise LabError(f"hostagent's package can't be built: {words}") from None
        Path(built).rename(folder / "hostagent.deb")

    sources = [path for path in _SOURCES if path.exists()]
    return cache.layer("deb", digest(version or "", tree_digest(*sources)), build) / "hostagent.deb"


def agent(lowers: Sequence[Path]) -> Path:
    """Return the folder of the layer that this checkout's package makes."""
    deb = package()

    def build(folder: Path, _lock: int) -> None:
        inside = folder / "upper/hostagent.deb"
        inside.parent.mkdir()
        shutil.copyfile(deb, inside)
        try:
            # No systemd runs in a layer, so that nothing is started.
            overlay.run_inside(folder, lowers, [*INSTALL, "/hostagent.deb"])
        except ProgramError as error:
            raise LabError(f"hostagent's package can't be installed: {error.stdout}{error.stderr}") from None
        inside.unlink()
        # Nodes share the machine's few threads, and their guests idle: no ratio means anything here.
        settings = folder / "upper/etc/hostagent/hostagent.toml"
        settings.write_text(settings.read_text().replace("#cpu_ratio = 2.0", "cpu_ratio = 64.0"))
        # What a boot makes; and the machine's id is each node's own.
        shutil.rmtree(folder / "upper/run", ignore_errors=True)

    parts = [lower.parent.name for lower in lowers]
    key = digest(*parts, deb.parent.name, tree_digest(Path(__file__)))
    return cache.layer("agent", key, build) / "upper"
