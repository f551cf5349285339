"""The outermost edge of a thread that must go on: an error ends one round of it, and is said."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

_LOG = logging.getLogger("hostagent")


class Edge:
    """``with Edge("boots") as edge``: what is raised inside is said, and kept as ``edge.error``."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.error = error
        if not isinstance(error, Exception):
            return False
        _LOG.error("%s: %s: %s", self._what, type(error).__name__, error, exc_info=error)
        return True
