"""A small OVSDB client for whole rows and verified transactions (RFC 7047).

ovs.db.idl is the right tool to read the columns one knows; the journal must hold the others too.
ovs.jsonrpc is not used: its blocking calls take no deadline, and OVSDB on a unix socket sends no inactivity
probe, so that a hung server would hold us for ever. Its parser, where the C part is not built, takes 20
times as long as Python's own json (0.65 s for a thousand rows; docs/adr/0001).
"""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from hostagent.errors import ActError, ChangedError, DeadlineError, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

DATABASE = "Open_vSwitch"
# Whoever acts takes this OVSDB lock by force (it already has act.lock) and asserts it in every
# transaction: one that an earlier, dead process left in a hung server's socket fails when it is read at last.
LOCK = "hostagent_act"
_CHUNK = 1 << 18
_TRANSIENT = frozenset({"timed out", "constraint violation", "referential integrity violation"})

Operation: TypeAlias = dict[str, Any]
Result: TypeAlias = dict[str, Any]
Answer: TypeAlias = Any  # what json made of a method's result


class LostError(SourceError):
    """The connection or the answer was lost: whether the transaction was committed must be looked up."""


class OwnerError(ActError):
    """Another process took the OVSDB lock: this one must not go on."""


class Ovsdb:
    """One session. Not for several threads. Every call ends within ``timeout_seconds``.

    Raises:
        SourceError: nobody answers the socket.
        DeadlineError: no answer in time; whether the call was carried out is not known.
        LostError: the connection broke; whether the call was carried out is not known.
    """

    def __init__(self, path: str, *, timeout_seconds: float) -> None:
        self._path = path
        self._timeout = timeout_seconds
        self._number = 0
        self._pieces = [b""]
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout_seconds)
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            reason = "it does not accept" if isinstance(error, TimeoutError) else error.strerror
            raise SourceError(
                f"OVSDB unreachable at {path}: {reason} "
                "(is ovsdb-server running? systemctl status ovsdb-server)"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def schema(self) -> dict[str, Any]:
        """The database's schema (RFC 7047, 4.1.2)."""
        answer = self._call("get_schema", [DATABASE])
        if not isinstance(answer, dict):
            raise SourceError(f"OVSDB at {self._path} has no database {DATABASE}")
        return answer

    def take_lock(self) -> None:
        """Own LOCK from now on; every other session that asserts it fails (RFC 7047, 4.1.8)."""
        self._call("steal", [LOCK])

    def transact(
        self, operations: Sequence[Operation], *, timeout_seconds: float | None = None
    ) -> list[Result]:
        """Commit ``operations`` at once, or none of them.

        Raises:
            ChangedError: a ``wait`` or a constraint says that the rows are no longer what was read.
            OwnerError: the lock that an ``assert`` names is another's.
            ActError: the server refuses them for another reason.
        """
        answer = self._call("transact", [DATABASE, *operations], timeout_seconds=timeout_seconds)
        for index, result in enumerate(answer):
            if result is not None and "error" in result:
                raise _failure(operations, index, result)
        return list(answer)

    def supports_chosen_uuids(self) -> bool:
        """Whether ``insert`` takes the new row's UUID (ovsdb-server(7), since Open vSwitch 3.0)."""
        probe = {"op": "insert", "table": "QoS", "uuid": "6b1a4f0a-6d5c-4d6e-9a51-2e3a0f6f9f00", "row": {}}
        answer = self._call("transact", [DATABASE, probe, {"op": "abort"}])
        return "error" not in answer[0]

    def _call(self, method: str, params: list[Any], *, timeout_seconds: float | None = None) -> Answer:
        self._number += 1
        ends = time.monotonic() + (self._timeout if timeout_seconds is None else timeout_seconds)
        message = {"method": method, "params": params, "id": self._number}
        try:
            self._send(message, ends)
            while True:
                answer = self._receive(ends)
                if answer.get("method") == "echo":
                    self._send({"id": answer.get("id"), "result": answer.get("params"), "error": None}, ends)
                elif "method" not in answer and answer.get("id") == self._number:
                    break
        except TimeoutError as error:
            raise DeadlineError(
                f"OVSDB at {self._path} did not answer in time (is ovsdb-server hung?)"
            ) from error
        except OSError as error:
            raise LostError(f"connection to OVSDB at {self._path} was lost: {error}") from error
        if answer.get("error") is not None:
            raise ActError(f"OVSDB refuses {method}: {answer['error']}")
        return answer["result"]

    def _send(self, message: dict[str, Any], ends: float) -> None:
        self._socket.settimeout(max(ends - time.monotonic(), 0.001))
        self._socket.sendall(json.dumps(message, separators=(",", ":")).encode())

    def _receive(self, ends: float) -> dict[str, Any]:
        """The next message. The stream has no delimiter: an object is whole when it parses."""
        while True:
            if (
                self._pieces[-1].endswith(b"}")
                and (parsed := self._parse(b"".join(self._pieces))) is not None
            ):
                return parsed
            self._socket.settimeout(max(ends - time.monotonic(), 0.001))
            if not (chunk := self._socket.recv(_CHUNK)):
                raise ConnectionResetError("closed by ovsdb-server")
            self._pieces.append(chunk)

    def _parse(self, data: bytes) -> dict[str, Any] | None:
        text = data.decode()
        try:
            message, end = json.JSONDecoder().raw_decode(text)
        except ValueError:
            return None
        self._pieces = [text[end:].lstrip().encode()]
        if not isinstance(message, dict):
            raise SourceError(f"OVSDB at {self._path} answered something that is not JSON-RPC")
        return message


def _failure(operations: Sequence[Operation], index: int, result: Result) -> ActError:
    words = f"{result['error']}: {result.get('details') or 'no details'}"
    if result["error"] == "not owner":
        return OwnerError("another hostagent process took over OVSDB's lock hostagent_act; this one stops")
    if index < len(operations) and operations[index]["op"] == "wait":
        table, where = operations[index]["table"], operations[index]["where"]
        row = where[0][2][1] if where[0][0] == "_uuid" else ""
        return ChangedError(f"{table} row {row} is no longer what was read".replace("  ", " "))
    if result["error"] in _TRANSIENT:
        return ChangedError(f"rows changed while they were being repaired ({words})")
    return ActError(f"OVSDB refuses the transaction ({words})")
