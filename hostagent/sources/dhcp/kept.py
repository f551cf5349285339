"""Networks that neutron, incus and lxc-net want served: they leave a file while a server should run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.model.dhcp import HOST, Expected, Keeper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.sources.dhcp.netns import Places

# neutron/agent/linux/dhcp.py: the folder of a network holds "interface" and "pid" while its DHCP is enabled,
# and is removed with it.
_NEUTRON = "var/lib/neutron/dhcp"
# incus' and lxd's own record of the process that they started, removed when they stop the network.
_INCUS = ("var/lib/incus/networks", "var/lib/lxd/networks", "var/snap/lxd/common/lxd/networks")
_LXC = ("run/lxc", "var/run/lxc")  # of the script lxc-net: network_up and dnsmasq.pid


def read_kept(places: Places, root: str = "/") -> list[Expected]:
    """What should run now; a folder that can't be read tells nothing."""
    return [*_neutron(places, Path(root)), *_incus(Path(root)), *_lxc(Path(root))]


def _neutron(places: Places, root: Path) -> Iterator[Expected]:
    for folder in _folders(root / _NEUTRON):
        place = places.named(f"qdhcp-{folder.name}")
        if place is not None and _there(folder / "pid"):
            link = _line(folder / "interface")
            yield Expected(network=folder.name, keeper=Keeper.NEUTRON, namespace=place.key, link=link)


def _incus(root: Path) -> Iterator[Expected]:
    for base in _INCUS:
        for folder in _folders(root / base):
            if _there(folder / "dnsmasq.pid"):
                yield Expected(network=folder.name, keeper=Keeper.INCUS, namespace=HOST, link=folder.name)


def _lxc(root: Path) -> Iterator[Expected]:
    for base in _LXC:
        if _there(root / base / "network_up") and _there(root / base / "dnsmasq.pid"):
            # Its name is in /etc/default/lxc-net; lxcbr0 unless a site has changed it.
            bridge = _bridge(root / "etc/default/lxc-net")
            yield Expected(network=bridge, keeper=Keeper.LXC, namespace=HOST, link=bridge)
            return


def _folders(base: Path) -> list[Path]:
    try:
        return sorted(each for each in base.iterdir() if each.is_dir())
    except OSError:
        return []


def _there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()[:64]
    except OSError:
        return ""


def _bridge(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    values = [line.partition("=")[2].strip().strip("\"'") for line in lines if line.startswith("LXC_BRIDGE=")]
    return values[-1] if values and values[-1] else "lxcbr0"
