"""The paths that the exporter answers."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from hostagent import __version__
from hostagent.export.metrics import CONTENT_TYPE
from hostagent.export.wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.export.document import Freshness
    from hostagent.export.wire import Request

_PATHS: Final = ("/", "/metrics", "/-/healthy", "/-/ready")


def answer(request: Request, *, metrics: Callable[[], bytes], ready: Callable[[], Freshness]) -> Response:
    """The response to one request; ``metrics`` and ``ready`` are called only for a path that needs them."""
    if request.path not in _PATHS:
        return Response(
            status=HTTPStatus.NOT_FOUND, body=f"Not found; there is {', '.join(_PATHS)}\n".encode()
        )
    if request.method not in {"GET", "HEAD"}:
        return Response(status=HTTPStatus.METHOD_NOT_ALLOWED, body=b"GET and HEAD only\n", allow="GET, HEAD")
    if request.path == "/metrics":
        return Response(body=metrics(), content_type=CONTENT_TYPE)
    if request.path == "/-/healthy":
        return Response(body=b"healthy\n")
    reason = ready().reason
    if request.path == "/-/ready":
        status = HTTPStatus.SERVICE_UNAVAILABLE if reason else HTTPStatus.OK
        return Response(status=status, body=f"{reason or 'ready'}\n".encode(errors="backslashreplace"))
    return Response(body=_landing(reason), content_type="text/html; charset=utf-8")


def _landing(reason: str) -> bytes:
    links = "".join(f'<li><a href="{path}">{path}</a></li>' for path in _PATHS[1:])
    return (
        '<!DOCTYPE html><html lang="en"><head><title>hostagent</title></head><body><h1>hostagent</h1>'
        f"<p>Version {escape(__version__)}. Agent: {escape(reason) or 'fresh'}.</p><ul>{links}</ul>"
        "</body></html>\n"
    ).encode(errors="backslashreplace")
