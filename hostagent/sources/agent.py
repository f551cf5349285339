"""The agent's socket and what the agent remembers, as the command line reads them."""

from __future__ import annotations

import errno
import json
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostagent.errors import DeadlineError, SourceError
from hostagent.model.plain import record
from hostagent.model.remembered import FILE, Remembered

if TYPE_CHECKING:
    from collections.abc import Mapping

SOCKET = "agent.sock"
_BIGGEST = 64 << 20  # bytes; a node with 10,000 ports in trouble answers with about 2 MB
_AGAIN_SECONDS = 0.02
_NOBODY = {errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR}
_LIVE = "hostagent check --live reads the host itself (systemctl status hostagent)"


class NoAgentError(SourceError):
    """Nobody listens where the agent would."""


class AgentError(SourceError):
    """The agent refuses or fails; its words."""

    retryable = False


def ask(socket_path: str, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """The agent's answer to one request.

    Raises:
        NoAgentError: there is none. AgentError: it says no. DeadlineError: no answer within ``seconds``.
        SourceError: this user may not ask, or the answer can't be understood.
    """
    until = time.monotonic() + seconds
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
        try:
            _connect(connection, socket_path, until)
            connection.sendall(json.dumps(dict(request)).encode() + b"\n")
            line = _line(connection, until)
        except TimeoutError as error:
            why = f"the agent does not answer within {round(seconds, 1):g} s ({socket_path})"
            raise DeadlineError(f"{why}: systemctl status hostagent; {_LIVE.partition(' (')[0]}") from error
        except PermissionError as error:
            why = f"{socket_path}: no permission to ask the agent"
            raise SourceError(f"{why}: run it as root, or as a member of group hostagent") from error
        except OSError as error:
            if error.errno in _NOBODY:
                raise NoAgentError(
                    f"no agent runs here ({socket_path}: {error.strerror}): {_LIVE}"
                ) from error
            reason = error.strerror or str(error)
            raise SourceError(f"the agent can't be asked ({socket_path}: {reason}): {_LIVE}") from error
    return _answer(line)


def read_remembered(state_dir: str) -> Remembered | None:
    """What the agent remembers; None where there is nothing or this user may not read it.

    Raises:
        SourceError: the file can't be understood.
    """
    path = Path(state_dir, FILE)
    try:
        return record(Remembered, json.loads(path.read_bytes()))
    except OSError:
        return None
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise SourceError(f"{path} can't be read: {reason:.200} (systemctl restart hostagent)") from error


def _connect(connection: socket.socket, path: str, until: float) -> None:
    """Connect, or raise TimeoutError: with a full backlog the kernel does not wait as it does for TCP."""
    while True:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        try:
            connection.connect(path)
        except BlockingIOError:
            time.sleep(_AGAIN_SECONDS)
        else:
            return


def _line(connection: socket.socket, until: float) -> bytes:
    received = bytearray()
    while not received.endswith(b"\n"):
        if len(received) > _BIGGEST:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        piece = connection.recv(1 << 18)
        if not piece:
            raise ConnectionResetError(errno.ECONNRESET, "it hung up")
        received += piece
    return bytes(received)


def _answer(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        answer = None
    if isinstance(answer, dict) and isinstance(answer.get("error"), str):
        raise AgentError(answer["error"])
    if not isinstance(answer, dict) or answer.get("ok") is not True:
        raise SourceError("the agent's answer can't be understood: systemctl restart hostagent")
    return answer
