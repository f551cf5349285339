"""The two things done to links rather than to OVSDB: a tap set up, an orphaned tap deleted (rtnetlink(7))."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from hostagent.errors import ActError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def set_up(ifindex: int, *, up: bool) -> None:
    """Set IFF_UP or take it away."""
    _do(lambda route: route.link("set", index=ifindex, state="up" if up else "down"), ifindex)


def delete(ifindex: int) -> None:
    """Delete the link. The index, not the name: names are given again."""
    _do(lambda route: route.link("del", index=ifindex), ifindex)


def _do(request: Callable[[Any], Any], ifindex: int) -> None:
    pyroute2 = import_module("pyroute2")  # 0.13 s, and most plans change no link
    try:
        with pyroute2.IPRoute() as route:
            request(route)
    except pyroute2.NetlinkError as error:
        raise ActError(f"the kernel refuses to change link {ifindex}: {error}") from error
    except OSError as error:
        raise ActError(f"rtnetlink can't be opened: {error.strerror}") from error


def as_recorded(name: str, ifindex: int, *, up: bool) -> Mapping[str, object]:
    """What the journal keeps of a link before it is changed."""
    return {"name": name, "ifindex": ifindex, "up": up}
