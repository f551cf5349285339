"""The values of a request, which anybody may have written: of the right type and size, or refused by name."""

from __future__ import annotations

import pwd
from typing import TYPE_CHECKING, Any

from hostagent.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.daemon.listening import Peer

_LONGEST_TEXT = 500


def text(request: Mapping[str, Any], key: str, *, default: str | None = None) -> str:
    """One line of printable text.

    Raises:
        RefusedError: it is missing, too long, or has what a terminal could obey.
    """
    value = request.get(key, default)
    if not isinstance(value, str) or (not value.strip() and default is None):
        raise RefusedError(f"the request has no {key}")
    if len(value) > _LONGEST_TEXT or not value.isprintable():
        raise RefusedError(f"the {key} must be one printable line of at most {_LONGEST_TEXT} characters")
    return value.strip()


def number(
    request: Mapping[str, Any], key: str, *, least: float, most: float, default: float | None = None
) -> float:
    """A number from ``least`` to ``most``.

    Raises:
        RefusedError: it is not.
    """
    value = request.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise RefusedError(f"{key} must be a number from {least:g} to {most:g}")
    return float(value)


def truth(request: Mapping[str, Any], key: str) -> bool:
    """True or false, false where it is missing.

    Raises:
        RefusedError: it is neither.
    """
    value = request.get(key, False)
    if not isinstance(value, bool):
        raise RefusedError(f"{key} must be true or false")
    return value


def asked_by(request: Mapping[str, Any], peer: Peer) -> str:
    """The user's name; for root the one that it says to have used sudo, as no credential tells that."""
    if peer.uid == 0 and request.get("sudo_user"):
        return text(request, "sudo_user")
    try:
        return pwd.getpwuid(peer.uid).pw_name
    except KeyError:
        return f"user {peer.uid}"
