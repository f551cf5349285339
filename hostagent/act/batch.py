"""One batch: at most two transactions with vswitchd's barrier between them, each told to the journal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from hostagent.act import operations
from hostagent.act.schema import differences
from hostagent.act.store import Store, next_cfg
from hostagent.errors import ActError, ChangedError, JournalError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hostagent.act.rows import Database, Transition

_TRIES = 5


class Log(Protocol):
    """What a batch needs of a journal."""

    def write(self, record: str, **fields: object) -> None:
        """Append one record and wait until it is on disk."""


class Batch:
    """Carries out transitions. ``untold`` is why the journal could not be written once it had ``begun``.

    ``offline``: vswitchd is not running and nobody waits for it; only for what nothing is added back of.
    After the first transaction a full disk must not keep removed ports out; the rows tell the next run.

    Raises:
        ChangedError: rows are not as they were read; nothing was changed.
        ActError: OVSDB refuses; nothing was changed.
        SourceError: OVSDB went away and did not come back; the journal tells the next run.
        JournalError: the journal can't be written.
    """

    def __init__(self, store: Store, log: Log, *, begun: bool = False, offline: bool = False) -> None:
        self._store = store
        self._log = log
        self._begun = begun
        self._offline = offline
        self.untold = ""

    def run(self, transitions: Sequence[Transition], db: Database) -> dict[int, str]:
        """Both transactions. The answer says, by action, which ports could not be added back and why."""
        self._log.write("begun", phase="first")
        try:
            results = self._store.transact(operations.first(transitions, db, chosen=self._store.chosen))
            number = next_cfg(results)
        except SourceError:
            self._store.renew()
            if not happened(transitions, self._store.read(), chosen=self._store.chosen):
                self._log.write("aborted", phase="first", reason="OVSDB went away before it was committed")
                raise ChangedError("OVSDB went away before anything was changed") from None
            number = self._store.wake()
        except ActError as error:
            self._log.write("aborted", phase="first", reason=str(error))
            raise
        self._begun = True
        self._tell("committed", phase="first")
        self._barrier(number, sum(each.removes is not None for each in transitions))
        return self.add_back(operations.late(transitions))

    def add_back(
        self, transitions: Sequence[Transition], *, gone: frozenset[str] = frozenset()
    ) -> dict[int, str]:
        """The second transaction, as often as it takes: what was removed comes back whatever happens.

        ``gone`` are names that need no port any more. A port of that name that somebody else has
        made meanwhile stays as it is.
        """
        lost = {each.action: "its guest has gone meanwhile" for each in transitions if each.name in gone}
        left = [each for each in transitions if each.action not in lost]
        if not left:
            return lost
        self._tell("begun", phase="second")
        absent: frozenset[str] = frozenset()
        number = None
        for _ in range(_TRIES):
            if not left:
                break
            try:
                asked = operations.second(left, self._store.schema, chosen=self._store.chosen, absent=absent)
                number = next_cfg(self._store.transact(asked))
                break
            except SourceError:
                self._store.renew()
            except ChangedError:
                pass
            db = self._store.read()
            left, others = _remaining(left, db)
            lost |= others
            absent = operations.missing(left, db)
        else:
            lost |= self._one_by_one(left)
        self._tell("committed", phase="second")
        self._barrier(self._store.wake() if number is None else number, len(transitions))
        return lost

    def catch_up(self) -> None:
        """Let vswitchd apply what a dead process had changed before anything is added back."""
        self._barrier(self._store.wake())

    def _one_by_one(self, transitions: Sequence[Transition]) -> dict[int, str]:
        """The last resort, so that one row that OVSDB refuses does not keep the others out."""
        lost = {}
        for each in transitions:
            absent = operations.missing([each], self._store.read())
            try:
                self._store.transact(
                    operations.second([each], self._store.schema, chosen=self._store.chosen, absent=absent)
                )
            except ActError as error:
                lost[each.action] = f"port {each.name} could not be added back: {error}"
        return lost

    def _tell(self, record: str, **fields: object) -> None:
        try:
            self._log.write(record, **fields)
        except JournalError as error:
            if not self._begun:
                raise
            self.untold = str(error)

    def _barrier(self, number: int, ports: int = 0) -> None:
        if not self._offline:
            self._tell("barrier", reached=self._store.barrier(number, ports=ports))


def _remaining(transitions: Iterable[Transition], db: Database) -> tuple[list[Transition], dict[int, str]]:
    """Which ports are still out of OVSDB, and why some can't come back as they should."""
    left, lost = [], {}
    for each in transitions:
        rows, old = each.inserts, each.before.port
        current = db.port(each.name)
        if rows is None or (current is not None and current.uuid == rows.uuid):
            continue
        if current is not None:
            if old is None or current.uuid != old.uuid:
                lost[each.action] = f"somebody else has made port {each.name} again, on {current.bridge}"
        elif rows.bridge_uuid in db.tables["Bridge"]:
            left.append(each)
        elif old is not None and old.bridge_uuid in db.tables["Bridge"]:
            lost[each.action] = f"bridge {rows.bridge} is gone: port {each.name} is back on {old.bridge}"
            home = replace(rows, bridge=old.bridge, bridge_uuid=old.bridge_uuid, references=old.references)
            left.append(replace(each, after=replace(each.after, port=home)))
        else:
            lost[each.action] = f"bridge {rows.bridge} is gone, and with it port {each.name}"
    return left, lost


def happened(transitions: Sequence[Transition], db: Database, *, chosen: bool) -> bool:
    """Whether the first transaction was committed, as the database shows; it is atomic: one sign will do.

    Row UUIDs are never given again, so an old row that is there, or a new one, is proof.
    """
    waiting = {each.action for each in operations.late(transitions)}
    signs = []
    for each in transitions:
        ports = db.tables["Port"]
        if each.removes:
            if each.removes.uuid in ports:
                return False
            signs.append(True)
        if each.inserts and chosen and each.action not in waiting:
            return each.inserts.uuid in ports
        if each.inserts and not chosen and each.action not in waiting:
            signs.append(each.name in db.names)
        if each.in_place:
            signs.append(_as_wished(each, db))
        for table, old, new in (
            ("QoS", each.before.qos, each.after.qos),
            ("Queue", each.before.queues, each.after.queues),
        ):
            signs += [uuid not in db.tables[table] for uuid in old if uuid not in new]
    return bool(signs) and any(signs)


def _as_wished(each: Transition, db: Database) -> bool:
    current = db.port(each.name)
    if current is None or each.after.port is None or current.uuid != each.after.port.uuid:
        return False
    return not any(
        differences(table, db.schema, wished, now)
        for table, wished, now in operations.pairs(each.after, type(each.after)(port=current))
    )
