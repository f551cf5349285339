"""The kernel's links, read with pyroute2."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from hostagent.model.host import Trouble
from hostagent.model.ports import Link, Links
from hostagent.sources.deadline import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterable

_IFF_UP = 0x1  # linux/if.h
_TAP = 2  # IFF_TAP of linux/if_tun.h, in IFLA_TUN_TYPE; a tun device is 1


class Message(Protocol):
    """An RTM_NEWLINK message as pyroute2 hands it out, or a part of it with attributes of its own."""

    def get_attr(self, name: str, /) -> object:
        """An attribute's value; None if it is absent."""

    def __getitem__(self, key: str, /) -> object:
        """A field of the header."""


def parse_links(messages: Iterable[Message]) -> Links:
    """RTM_NEWLINK messages → links by name."""
    links = (_link(message) for message in messages)
    return Links(by_name={link.name: link for link in links})


def read_links() -> Links:
    """All links of this network namespace.

    Raises:
        ReadError: with its trouble.
    """
    try:
        pyroute2 = import_module("pyroute2")
    except ImportError as error:
        raise ReadError(
            Trouble.INVALID, f"rtnetlink can't be read: {error} (install python3-pyroute2)"
        ) from error
    netlink_error = import_module("pyroute2.netlink.exceptions").NetlinkError
    try:
        with pyroute2.IPRoute() as route:
            return parse_links(route.get_links())
    except PermissionError as error:
        raise ReadError(
            Trouble.DENIED, f"rtnetlink: {error} (is AF_NETLINK allowed in this unit?)"
        ) from error
    except (OSError, ValueError, netlink_error) as error:
        raise ReadError(Trouble.INVALID, f"rtnetlink can't be read: {error} (ip -d link)") from error


def _link(message: Message) -> Link:
    info = message.get_attr("IFLA_LINKINFO")
    kind = _text(_attribute(info, "IFLA_INFO_KIND"))
    master = _number(message.get_attr("IFLA_MASTER"))
    return Link(
        name=_text(message.get_attr("IFLA_IFNAME")),
        ifindex=_number(message["index"]),
        kind=kind,
        tap=kind == "tun" and _attribute(_attribute(info, "IFLA_INFO_DATA"), "IFLA_TUN_TYPE") == _TAP,
        master=master or None,
        up=bool(_number(message["flags"]) & _IFF_UP),
        mtu=_number(message.get_attr("IFLA_MTU")),
        mac=_text(message.get_attr("IFLA_ADDRESS")).lower(),
    )


def _attribute(part: object, name: str) -> object:
    read = getattr(part, "get_attr", None)
    return None if read is None else read(name)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _number(value: object) -> int:
    return 0 if value is None else int(str(value))
