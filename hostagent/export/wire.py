"""As much of HTTP/1.1 as a scrape needs (RFC 9112): one request of a few lines, one response, then the end.

Headers are not looked at: nothing here depends on one, and what is not parsed can't be abused.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hostagent.errors import HostagentError

if TYPE_CHECKING:
    import socket

PLAIN = "text/plain; charset=utf-8"

# Prometheus sends some 300 bytes; a proxy in front adds a few lines.
_MOST_BYTES = 16384


class RequestError(HostagentError):
    """What came is no request that is answered with more than ``status``."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The request line, less the query."""

    method: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What to send. ``allow`` is the header that a 405 needs."""

    status: HTTPStatus = HTTPStatus.OK
    body: bytes = b""
    content_type: str = PLAIN
    allow: str = ""


def read_request(stream: socket.socket) -> Request:
    """The next request's first line, when all its headers are there.

    Raises:
        RequestError: it is too long, cut off, or not HTTP.
        OSError: the connection broke or timed out.
    """
    raw = b""
    while b"\r\n\r\n" not in raw and b"\n\n" not in raw:
        if len(raw) > _MOST_BYTES:
            raise RequestError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        more = stream.recv(4096)
        if not more:
            raise ConnectionResetError if not raw else RequestError(HTTPStatus.BAD_REQUEST)
        raw += more
    words = raw.partition(b"\n")[0].split()
    if len(words) != 3 or not words[2].startswith(b"HTTP/1.") or not raw.isascii():
        raise RequestError(HTTPStatus.BAD_REQUEST)
    try:
        path = urlsplit(words[1].decode()).path
    except ValueError:
        raise RequestError(HTTPStatus.BAD_REQUEST) from None
    return Request(method=words[0].decode(), path=path)


def encoded(response: Response, *, head: bool = False) -> bytes:
    """The response as bytes; ``head`` leaves the body out."""
    status = response.status
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Date: {formatdate(usegmt=True)}",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(response.body)}",
        "Connection: close",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
    ]
    if response.allow:
        lines.append(f"Allow: {response.allow}")
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if head else response.body)
