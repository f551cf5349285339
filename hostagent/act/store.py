"""The open database: one session after another, each with the lock, all with the same few questions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from hostagent.act import operations, schema
from hostagent.act.ovsdb import Operation, Ovsdb, Result
from hostagent.act.rows import Database, database, selects
from hostagent.errors import ChangedError, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hostagent.config import Settings

# How long a begun repair waits for ovsdb-server to come back before it leaves the rest to the next run.
PATIENCE_SECONDS = 30.0
_AGAIN_SECONDS = 0.2
# Measured: 100 taps off a userspace datapath take vswitchd 1.3 s, as the kernel waits for each packet socket
# to be let go by all CPUs; four times that for a loaded host.
_SECONDS_PER_PORT = 0.05


class Store:
    """OVSDB as repairs use it. Opening it takes the OVSDB lock: older sessions can change nothing more."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session = self._open()
        self.schema = schema.parse(self._session.schema())
        self.chosen = self._session.supports_chosen_uuids()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.__exit__()

    def _open(self) -> Ovsdb:
        path, timeout = self._settings.sources.ovsdb_socket, self._settings.looks.timeout_seconds
        session = Ovsdb(path, timeout_seconds=timeout)
        try:
            session.take_lock()
        except SourceError:
            session.__exit__()
            raise
        return session

    def renew(self) -> None:
        """A new session after a lost one, as soon as the server is back.

        Raises:
            SourceError: it did not come back within PATIENCE_SECONDS.
        """
        self._session.__exit__()
        ends = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self._session = self._open()
            except SourceError:
                if time.monotonic() >= ends:
                    raise
                time.sleep(_AGAIN_SECONDS)
            else:
                return

    def read(self) -> Database:
        """All rows that repairs concern, as of one instant; once more if the session is lost."""
        try:
            results = self._session.transact(selects(self.schema))
        except SourceError:
            self.renew()
            results = self._session.transact(selects(self.schema))
        return database(self.schema, results)

    def transact(self, asked: Sequence[Operation]) -> list[Result]:
        """Commit; see Ovsdb.transact. After a SourceError call ``renew``, then look what happened."""
        return self._session.transact(asked)

    def wake(self) -> int:
        """Tell vswitchd that there is something to apply; the number that it has then to reach."""
        results = self._session.transact([operations.ASSERT, *operations.APPLIED])
        return next_cfg(results)

    def patience(self, ports: int) -> float:
        """How long vswitchd may take to apply a change that removes or adds so many ports, in seconds."""
        return self._settings.repair.barrier_seconds + ports * _SECONDS_PER_PORT

    def barrier(self, number: int, *, ports: int = 0) -> bool:
        """Wait until vswitchd has applied everything up to next_cfg ``number``; False if it does not in time.

        It has longer the more ``ports`` it has to let go.
        """
        seconds = self.patience(ports)
        try:
            self._session.transact([operations.until_applied(number, seconds)], timeout_seconds=seconds + 1)
        except ChangedError:
            return False
        except SourceError:
            self.renew()
            return False
        return True


def next_cfg(results: Sequence[Result]) -> int:
    """What APPLIED has made of next_cfg: its ``select`` is the last result with rows."""
    rows = next(each["rows"] for each in reversed(results) if each and "rows" in each)
    number: int = rows[0]["next_cfg"]
    return number
