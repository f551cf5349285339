"""Networks that should be served: libvirt's XML, and what neutron, incus and lxc-net leave on disk."""

from pathlib import Path

import pytest

from hostagent.model.dhcp import HOST, Expected, Keeper
from hostagent.sources.dhcp.kept import read_kept
from hostagent.sources.dhcp.libvirt_networks import parse_network
from hostagent.sources.dhcp.netns import Places

# As libvirt 9.0 prints its default network, and one with both families.
DEFAULT = """<network connections='1'>
  <name>default</name>
  <uuid>9a05da11-e96b-47f3-8253-a3a482e445f5</uuid>
  <forward mode='nat'><nat><port start='1024' end='65535'/></nat></forward>
  <bridge name='virbr0' stp='on' delay='0'/>
  <mac address='52:54:00:0a:cd:21'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp>
  </ip>
</network>"""
BOTH = """<network><name>a&amp;b</name><bridge name='virbr1'/>
  <ip family='ipv6' address='fd00::1' prefix='64'><dhcp><range start='fd00::2' end='fd00::9'/></dhcp></ip>
  <ip address='10.9.0.1' prefix='24'/>
  <ip address='10.1.0.1' prefix='16'><dhcp><host mac='52:54:00:00:00:01' ip='10.1.0.9'/></dhcp></ip>
</network>"""
BRIDGED = "<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/></network>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DEFAULT, ("default", "virbr0", "192.168.122.1")),
        (BOTH, ("a&b", "virbr1", "10.1.0.1")),
        (BRIDGED, ("lan", "br0", "")),
        (
            BOTH.replace("<ip address='10.1.0.1'", "<ip family='ipv6' address='fd01::1'"),
            ("a&b", "virbr1", ""),
        ),
    ],
)
def test_network(text: str, expected: tuple[str, str, str]) -> None:
    found = parse_network(text)
    assert (found.name, found.bridge, found.address) == expected


@pytest.mark.parametrize(
    "text",
    ["", "<network>", "<!DOCTYPE a []><network/>", DEFAULT.replace("192.168.122.1'", "192.168.122.1000'")],
)
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(ValueError, match=r"it |IPv4"):
        parse_network(text)


def place(tmp_path: Path, *names: str) -> Places:
    """Namespaces of these names: files are enough, their inodes tell them apart."""
    folder = tmp_path / "netns"
    folder.mkdir()
    for name in names:
        (folder / name).touch()
    return Places(named_dir=str(folder))


def write(root: Path, path: str, text: str = "") -> None:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def test_neutron(tmp_path: Path) -> None:
    places = place(tmp_path, "qdhcp-1", "qdhcp-2", "qrouter-1")
    for network in ("1", "3"):  # 2 has been disabled, 3 has no namespace: it is another host's by now
        write(tmp_path, f"var/lib/neutron/dhcp/{network}/pid", "77\n")
        write(tmp_path, f"var/lib/neutron/dhcp/{network}/interface", "tap1\n")
    write(tmp_path, "var/lib/neutron/dhcp/2/host")
    key = f"{tmp_path}/netns/qdhcp-1"
    assert read_kept(places, str(tmp_path)) == [
        Expected(network="1", keeper=Keeper.NEUTRON, namespace=key, link="tap1")
    ]


def test_incus_and_lxc(tmp_path: Path) -> None:
    write(tmp_path, "var/lib/incus/networks/incusbr0/dnsmasq.pid")
    write(tmp_path, "var/lib/incus/networks/off/dnsmasq.leases")
    write(tmp_path, "run/lxc/network_up")
    write(tmp_path, "run/lxc/dnsmasq.pid", "88\n")
    write(tmp_path, "etc/default/lxc-net", 'USE_LXC_BRIDGE="true"\nLXC_BRIDGE="lxcbr7"\n')
    assert read_kept(place(tmp_path), str(tmp_path)) == [
        Expected(network="incusbr0", keeper=Keeper.INCUS, link="incusbr0"),
        Expected(network="lxcbr7", keeper=Keeper.LXC, link="lxcbr7"),
    ]
    (tmp_path / "etc/default/lxc-net").unlink()
    assert read_kept(Places(named_dir="/nonexistent"), str(tmp_path))[1].link == "lxcbr0"


def test_nothing_is_kept(tmp_path: Path) -> None:
    assert read_kept(place(tmp_path), str(tmp_path)) == []


def test_places(tmp_path: Path) -> None:
    places = place(tmp_path, "a", "b")
    found = places.named("a")
    assert found is not None
    assert found.key == f"{tmp_path}/netns/a"
    assert places.named("host") is None
    assert next(each.key for each in places.by_inode.values()) == HOST
