"""What a node stands on: the stack of read-only layers, built as far as missing."""

from dataclasses import dataclass
from pathlib import Path

from tests.lab.agent import agent
from tests.lab.furnish import furnishings
from tests.lab.image import base


@dataclass(frozen=True, slots=True)
class Layers:
    """Lower directories for overlayfs, the uppermost first."""

    lowers: tuple[Path, ...]
    agent: Path | None


def ensure(*, bare: bool) -> Layers:
    """Build what is missing and return the stack, with hostagent unless `bare`."""
    image = base()
    lowers = (furnishings(image), image / "root")
    if bare:
        return Layers(lowers, None)
    top = agent(lowers)
    return Layers((top, *lowers), top)
