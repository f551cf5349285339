"""Open vSwitch's database, replicated by ovs.db.idl over one connection, only the columns used.

What is handed out is current: a new connection starts with everything; on a kept one an echo is sent and
its reply awaited, which ovsdb-server sends after every update that it had before the request
(ovsdb/jsonrpc-server.c flushes a session's monitors before it reads its next request). A unix socket has no
inactivity probe, so a hung server shows only by our own deadline; what was replicated from it is not used.
"""

from __future__ import annotations

import errno
import time
from importlib import import_module
from typing import TYPE_CHECKING

from hostagent.errors import DeadlineError
from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError
from hostagent.sources.installed import ovs_installed
from hostagent.sources.ovsdb_rows import RowsError, columns_of, parse_rows
from hostagent.sources.unixrpc import RpcClient, RpcError

if TYPE_CHECKING:
    import ovs.db.idl

    from hostagent.model.ports import Ovs

_DATABASE = "Open_vSwitch"
_HUNG = "is ovsdb-server hung? systemctl status ovsdb-server"
_NEXT_STEP = "is ovsdb-server running? systemctl status ovsdb-server"


class OvsdbReader:
    """Reads the database; keeps its replica as long as the connection lasts."""

    def __init__(self, socket_path: str, *, root: str = "/") -> None:
        self._path = socket_path
        self._root = root
        self._replica: _Replica | None = None

    def read(self, until: float) -> Ovs:
        """The database as it is now; done or failed by ``until``, in seconds of time.monotonic().

        Raises:
            ReadError: with its trouble.
        """
        try:
            if self._replica is not None and self._replica.catch_up(until):
                return self._replica.records()
            self.close()
            self._replica = self._connect(until)
            return self._replica.records()
        except RowsError as error:
            self.close()
            raise ReadError(Trouble.INVALID, f"OVSDB at {self._path} can't be used: {error}") from error
        except (DeadlineError, TimeoutError) as error:
            self.close()
            raise ReadError(
                Trouble.UNRESPONSIVE,
                f"OVSDB at {self._path} does not answer: {error} ({_HUNG})",
            ) from error
        except RpcError as error:
            self.close()
            raise ReadError(
                Trouble.INVALID, f"OVSDB at {self._path}: {error} (ovsdb-client list-dbs unix:{self._path})"
            ) from error
        except OSError as error:
            self.close()
            raise self._unreachable(error) from error

    def close(self) -> None:
        """Drop the connection and what was replicated over it."""
        if self._replica is not None:
            self._replica.close()
            self._replica = None

    def _connect(self, until: float) -> _Replica:
        with RpcClient(self._path, until) as client:
            schema = client.ask("get_schema", _DATABASE)
        if not isinstance(schema, dict):
            raise RowsError("its schema can't be understood")
        try:
            replica = _Replica(self._path, schema)
        except ImportError as error:
            raise ReadError(
                Trouble.INVALID,
                f"Open vSwitch's Python module is missing: {error} (install python3-openvswitch)",
            ) from error
        try:
            replica.load(until)
        except BaseException:
            replica.close()
            raise
        return replica

    def _unreachable(self, error: OSError) -> ReadError:
        words = (error.strerror or str(error)).lower()
        if error.errno in {errno.EACCES, errno.EPERM}:
            return ReadError(Trouble.DENIED, f"OVSDB at {self._path}: {words} (run as root)")
        if error.errno == errno.ENOENT and not ovs_installed(self._root):
            return ReadError(
                Trouble.ABSENT,
                "Open vSwitch is not installed on this host (no ovsdb-server, database or socket)",
            )
        return ReadError(Trouble.UNREACHABLE, f"OVSDB unreachable at {self._path}: {words} ({_NEXT_STEP})")


class _Replica:
    """An ovs.db.idl.Idl and how far it is known to be current."""

    def __init__(self, path: str, schema: dict[str, object]) -> None:
        idl = import_module("ovs.db.idl")
        helper = idl.SchemaHelper(None, schema)
        wanted = columns_of(schema)
        for table, columns in wanted.items():
            helper.register_columns(table, columns)
        self._version = str(schema.get("version", "unknown"))
        self._tables = tuple(wanted)
        # Not the leader only: the database of a host is not clustered, and asking would cost a monitor.
        self._idl: ovs.db.idl.Idl = idl.Idl(f"unix:{path}", helper, probe_interval=0, leader_only=False)
        self._echoes = 0
        self._records: Ovs | None = None
        self._seen = 0

    def load(self, until: float) -> None:
        """Wait for the initial content, which is current."""
        while not self._idl.has_ever_connected():
            self._idl.run()
            if not self._idl.has_ever_connected():
                self._wait(until, "its content did not arrive in time")

    def catch_up(self, until: float) -> bool:
        """Wait until every update sent so far is in; says whether the connection is still the same."""
        self._idl.run()
        awaited = self._echoes + 1
        # Idl counts the replies that it did not ask for in cond_seqno; nothing else here uses conditions. One
        # more echo each time round is how a lost connection is noticed before Idl opens a new one by itself.
        while self._echo():
            self._idl.run()
            if self._idl.cond_seqno >= awaited:
                return bool(self._idl.state == self._idl.IDL_S_MONITORING)
            self._wait(until, "an echo did not come back in time")
            self._idl.run()
        return False

    def records(self) -> Ovs:
        """The rows as records, made anew only when the replica has changed since."""
        if self._records is None or self._seen != self._idl.change_seqno:
            rows = {name: self._idl.tables[name].rows.values() for name in self._tables}
            self._records, self._seen = parse_rows(rows, self._version), self._idl.change_seqno
        return self._records

    def close(self) -> None:
        self._idl.close()

    def _echo(self) -> bool:
        """Send an echo; False when there is no connection any more."""
        message = import_module("ovs.jsonrpc").Message
        if self._idl.send_request(message.create_request("echo", [])) != 0:
            return False
        self._echoes += 1
        return True

    def _wait(self, until: float, late: str) -> None:
        """Wait for something to process, but not beyond ``until``."""
        left = until - time.monotonic()
        if left <= 0:
            raise DeadlineError(late)
        poller = import_module("ovs.poller").Poller()
        self._idl.wait(poller)
        poller.timer_wait(max(1, int(left * 1000)))
        poller.block()


def read_ovs(socket_path: str, *, seconds: float) -> Ovs:
    """The database, read once.

    Raises:
        ReadError: with its trouble.
    """
    reader = OvsdbReader(socket_path)
    try:
        return reader.read(time.monotonic() + seconds)
    finally:
        reader.close()
