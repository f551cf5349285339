"""What the gate remembers: reservations until the host's next boot, who ran here also across one.

Both are files, so that an agent that was killed goes on where it was. Neither is worth stopping a guest for:
what can't be read or written is said once and does without.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping  # noqa: TC003  the types are read at run time, by model.plain
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hostagent.daemon import disk
from hostagent.decide.memory.admission import RECENT_SECONDS
from hostagent.decide.memory.reservations import Reservation  # noqa: TC001  read at run time, as above
from hostagent.model.plain import plain, record

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from hostagent.config import Paths

HELD_FILE = "admission.json"  # in run_dir, which a boot empties: no start outlives one
RAN_FILE = "ran.json"  # in state_dir: after a power cut the guests that ran shall start again
_LOG = logging.getLogger("hostagent")
_RAN_SECONDS = 60.0  # who ran is written as often as that while nobody comes or goes

Record = TypeVar("Record", bound="DataclassInstance")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    reservations: tuple[Reservation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ran:
    ran: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """``ran`` is when each domain was last seen to run, seconds since the epoch, by UUID.

    ``written_at`` is when that was last put on disk.
    """

    reservations: tuple[Reservation, ...] = ()
    ran: Mapping[str, float] = field(default_factory=dict)
    written_at: float = 0.0

    def recently(self, now: float) -> set[str]:
        """Who ran within the time that counts as having run here."""
        return {uuid for uuid, at in self.ran.items() if now - at <= RECENT_SECONDS}


def recall(paths: Paths) -> Admitted:
    """What the files say; nothing where there are none."""
    held = _read(Path(paths.run_dir, HELD_FILE), _Held)
    ran = _read(Path(paths.state_dir, RAN_FILE), _Ran)
    return Admitted(reservations=held.reservations, ran=ran.ran)


def keep(paths: Paths, before: Admitted, after: Admitted, now: float) -> Admitted:
    """``after`` on disk, as far as it is another; who ran too long ago to count is forgotten."""
    fresh = after.recently(now)
    ran = {uuid: at for uuid, at in after.ran.items() if uuid in fresh}
    written_at = before.written_at
    if after.reservations != before.reservations:
        _write(Path(paths.run_dir, HELD_FILE), _Held(reservations=after.reservations), durable=False)
    if ran.keys() != before.ran.keys() or (ran and now - written_at >= _RAN_SECONDS):
        _write(Path(paths.state_dir, RAN_FILE), _Ran(ran=ran), durable=True)
        written_at = now
    return Admitted(reservations=after.reservations, ran=ran, written_at=written_at)


def _read(path: Path, kind: type[Record]) -> Record:
    try:
        return record(kind, json.loads(path.read_bytes()))
    except FileNotFoundError:
        return kind()
    except (OSError, ValueError, RecursionError) as error:
        _LOG.warning("%s can't be read and is left out: %s", path, " ".join(str(error).split())[:200])
        return kind()


def _write(path: Path, what: DataclassInstance, *, durable: bool) -> None:
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        disk.replace(path, json.dumps(plain(what)) + "\n", mode=0o600, durable=durable)
    except OSError as error:
        _LOG.warning("%s can't be written: %s; a restart of the agent will not know it", path, error.strerror)
