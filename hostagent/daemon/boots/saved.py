"""run_dir/boots.json: the queue as it was, for the agent after this one. It lasts as long as the node runs.

What must outlast a power cut, which guests are suspended, is in the held list (act/boot).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping  # noqa: TC003  the types are read at run time, by model.plain
from dataclasses import dataclass, field
from pathlib import Path

from hostagent.act import places
from hostagent.model import plain
from hostagent.model.boot import Boot, LimitState, Progress  # noqa: TC001  read at run time as well

FILE = "boots.json"
_LOG = logging.getLogger("hostagent")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRun:
    """One boot; ``id`` is libvirt's id of the run, None while it was not started."""

    boot: Boot
    id: int | None = None
    progress: Progress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """Times are monotonic seconds, which go on from one process to the next."""

    runs: tuple[SavedRun, ...] = ()
    limits: Mapping[str, LimitState] = field(default_factory=dict)
    hold: str = ""
    admitted_at: float | None = None
    typical: float | None = None


def recall(run_dir: str) -> Saved | None:
    """What the last agent left; None without it, or when it can't be used, which is said."""
    path = Path(run_dir, FILE)
    try:
        return plain.from_text(Saved, path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        _LOG.warning("%s can't be used: %s; boots are counted anew", path, error)
        return None


def keep(run_dir: str, saved: Saved) -> None:
    """Leave it for the next agent; a disk that does not take it is said."""
    path = Path(run_dir, FILE)
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        places.replace(path, plain.text(saved), mode=0o600, durable=False)
    except OSError as error:
        _LOG.warning("%s can't be written: %s; a restart would count boots anew", path, error.strerror)
