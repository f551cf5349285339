"""A unix socket server that answers as told, or does not."""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self


class FakeServer:
    """Serves one request after the other; `answer` gives the bytes to send, None to stay silent."""

    def __init__(self, path: Path, answer: Callable[[dict[str, Any]], list[bytes] | None]) -> None:
        self._answer = answer
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen(8)
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for each in self._open:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        while True:
            try:
                request = client.recv(1 << 16)
                pieces = self._answer(json.loads(request)) if request else []
                if pieces is None:
                    continue
                for piece in pieces:
                    client.sendall(piece)
                if not pieces:
                    client.close()
                    return
            except OSError:
                return


def reply(request: dict[str, Any], result: object, error: object = None) -> bytes:
    return json.dumps({"id": request["id"], "result": result, "error": error}, ensure_ascii=False).encode()
