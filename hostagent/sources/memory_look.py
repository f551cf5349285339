"""The memory alone, without the rest of a Snapshot: what `hostagent memory` reads in well under a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from hostagent.model.host import Unavailable
from hostagent.sources.deadline import ReadError, SourceThread
from hostagent.sources.guests_memory import GuestsMemoryReader
from hostagent.sources.memory import MemoryReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.config import Settings
    from hostagent.model.guests_memory import GuestsMemory
    from hostagent.model.memory import HostMemory

T = TypeVar("T")


def look_at_memory(
    settings: Settings, seconds: float
) -> tuple[HostMemory | Unavailable, GuestsMemory | Unavailable]:
    """Both sections, within ``seconds``; one that hangs does not hide the other."""
    sources = settings.sources
    guests = GuestsMemoryReader(sources.libvirt_uri, proc_dir=sources.proc_dir)
    memory = _read("the kernel's figures of memory", MemoryReader(sources.proc_dir).read, seconds)
    return memory, _read("libvirt", guests.read, seconds)


def _read(name: str, read: Callable[[], T], seconds: float) -> T | Unavailable:
    try:
        return SourceThread(name).read(read, seconds)
    except ReadError as error:
        return Unavailable(trouble=error.trouble, reason=error.reason, since=time.time())
