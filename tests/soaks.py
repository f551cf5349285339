"""What every soak does: keep what is done in .soak, so that a cut leaves the old state or the new one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Progress:
    """``.soak/NAME.json``: what is done, to go on from after a cut."""

    def __init__(self, name: str) -> None:
        self._path = Path(".soak", f"{name}.json")

    def read(self, fresh: dict[str, Any] | None = None) -> dict[str, Any]:
        """What is done; ``fresh`` where nothing is."""
        if not self._path.exists():
            return dict(fresh or {})
        found: dict[str, Any] = json.loads(self._path.read_text())
        return found

    def keep(self, state: dict[str, Any]) -> None:
        """Write the state."""
        self._path.parent.mkdir(exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(state))
        fresh.rename(self._path)

    def done(self) -> None:
        """All is done: the next soak begins anew."""
        self._path.unlink(missing_ok=True)
