"""What the gate remembers: reservations until the host's next boot, who ran here also across one.

Both are files, so that an agent that was killed goes on where it was. Neither is worth stopping a guest for:
what can't be read or written is said, and done without.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping  # noqa: TC003  the types are read at run time, by model.plain
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hostagent.act import places
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
class Held:
    """The starts that were admitted and still hold memory."""

    reservations: tuple[Reservation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """When each domain was last seen to run, seconds since the epoch, by UUID."""

    ran: Mapping[str, float] = field(default_factory=dict)


class Admitted:
    """The two files of one agent. ``hold`` waits for no disk, so that the hook's answer doesn't either."""

    def __init__(self, paths: Paths) -> None:
        self._held_path = Path(paths.run_dir, HELD_FILE)
        self._ran_path = Path(paths.state_dir, RAN_FILE)
        self.held = _read(self._held_path, Held).reservations
        self.ran = _read(self._ran_path, Ran).ran
        self._written: tuple[float, frozenset[str]] = (0.0, frozenset())

    def hold(self, reservations: tuple[Reservation, ...]) -> None:
        """These hold from now on."""
        if reservations != self.held:
            self.held = reservations
            _write(self._held_path, Held(reservations=reservations), durable=False)

    def recently(self, now: float) -> frozenset[str]:
        """Who ran within the time that counts as having run here."""
        return frozenset(uuid for uuid, at in self.ran.items() if now - at <= RECENT_SECONDS)

    def seen(self, running: frozenset[str], now: float) -> None:
        """These run now. Writes to the disk when somebody came or went, or a minute has passed."""
        ran = {**self.ran, **dict.fromkeys(running, now)}
        self.ran = {uuid: at for uuid, at in ran.items() if now - at <= RECENT_SECONDS}
        at, names = self._written
        if running != names or now - at >= _RAN_SECONDS:
            self._written = now, running
            _write(self._ran_path, Ran(ran=self.ran), durable=True)


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
        places.replace(path, json.dumps(plain(what)) + "\n", mode=0o600, durable=durable)
    except OSError as error:
        _LOG.warning("%s can't be written: %s; a restart of the agent will not know it", path, error.strerror)
