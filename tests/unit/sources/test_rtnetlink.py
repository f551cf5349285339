"""RTM_NEWLINK messages → links, and the links of this host."""

from pathlib import Path
from typing import Any

import pytest

from hostagent.model.ports import Link
from hostagent.sources.rtnetlink import Message, parse_links, read_links


class Part:
    """As pyroute2's nlmsg: a dict with a list of attributes."""

    def __init__(self, attributes: dict[str, Any], **header: Any) -> None:
        self._attributes, self._header = attributes, header

    def get_attr(self, name: str) -> Any:
        return self._attributes.get(name)

    def __getitem__(self, key: str) -> Any:
        return self._header[key]


def message(name: str, index: int, *, flags: int = 0x1043, kind: str | None = None, **more: Any) -> Message:
    attributes = {"IFLA_IFNAME": name, "IFLA_MTU": 1500, "IFLA_ADDRESS": "FE:54:00:00:00:01", **more}
    if kind is not None:
        data = Part({"IFLA_TUN_TYPE": more.pop("tun_type")}) if "tun_type" in more else None
        attributes["IFLA_LINKINFO"] = Part({"IFLA_INFO_KIND": kind, "IFLA_INFO_DATA": data})
    return Part(attributes, index=index, flags=flags)


def test_links() -> None:
    found = parse_links(
        [
            message("vnet0", 7, kind="tun", tun_type=2, IFLA_MASTER=3),
            message("tun0", 8, kind="tun", tun_type=1, flags=0x1090),
            message("eth0", 2, IFLA_MTU=9000),
            message("ovs-system", 3, kind="openvswitch"),
            message("old0", 9, kind="tun"),
        ]
    ).by_name
    assert found["vnet0"] == Link(
        name="vnet0", ifindex=7, kind="tun", tap=True, master=3, up=True, mtu=1500, mac="fe:54:00:00:00:01"
    )
    assert (found["tun0"].tap, found["tun0"].up) == (False, False)
    assert (found["eth0"].kind, found["eth0"].mtu, found["eth0"].master) == ("", 9000, None)
    assert found["ovs-system"].kind == "openvswitch"
    assert not found["old0"].tap


def test_a_link_without_address() -> None:
    [link] = parse_links([message("sit0", 4, kind="sit", IFLA_ADDRESS=None)]).by_name.values()
    assert link.mac == ""


def test_this_host() -> None:
    pytest.importorskip("pyroute2")
    before = names()
    found = read_links().by_name
    assert before & names() <= set(found)
    assert found["lo"].ifindex == 1


def names() -> set[str]:
    return {each.name for each in Path("/sys/class/net").iterdir() if each.is_dir()}
