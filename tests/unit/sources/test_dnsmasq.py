"""dnsmasq's configuration in every style that is found on compute nodes, and in hostile ones."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.model.dhcp import HOST, DhcpRange, Keeper, Server
from hostagent.sources.dhcp.dnsmasq import Process, find_processes, read_server
from hostagent.sources.dhcp.dnsmasq_config import (
    conf_dir_files,
    parse_arguments,
    parse_file,
    parse_host,
    parse_range,
)
from hostagent.sources.dhcp.netns import Place

FIXTURES = Path(__file__).parents[2] / "fixtures/dhcp"
HERE = Place(key=HOST, name="host", inode=1)


def words(name: str) -> tuple[str, ...]:
    return tuple((FIXTURES / f"{name}.args").read_text().splitlines())


def server(
    tmp_path: Path,
    arguments: tuple[str, ...],
    files: dict[str, str] | None = None,
    place: Place = HERE,
    state: str = "S",
) -> Server | None:
    """A server whose root holds ``files``, by path."""
    root = tmp_path / "7/root"
    for path, text in (files or {}).items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    process = Process(pid=7, parent=1, state=state, arguments=arguments)
    return read_server(process, place, str(tmp_path))


def test_libvirt(tmp_path: Path) -> None:
    files = {
        "/var/lib/libvirt/dnsmasq/default.conf": (FIXTURES / "libvirt-default.conf").read_text(),
        "/var/lib/libvirt/dnsmasq/default.hostsfile": "52:54:00:aa:bb:cc,192.168.122.9,web,2h\n",
    }
    assert server(tmp_path, words("libvirt"), files) == Server(
        pid=7,
        namespace=HOST,
        keeper=Keeper.LIBVIRT,
        network="default",
        binding="bind-dynamic",
        interfaces=("virbr0",),
        except_interfaces=("lo",),
        ranges=(DhcpRange(first="192.168.122.2", last="192.168.122.254", netmask="255.255.255.0"),),
        lease_file="/var/lib/misc/dnsmasq.leases",
        authoritative=True,
        hosts=frozenset({"192.168.122.9"}),
        host_seconds={"52:54:00:aa:bb:cc": 7200},
    )


def test_neutron(tmp_path: Path) -> None:
    network = "0b1f8d54-7a3f-4c39-8f80-2a0d1d0b7a11"
    place = Place(key=f"/run/netns/qdhcp-{network}", name=f"qdhcp-{network}", inode=2)
    hosts = f"/var/lib/neutron/dhcp/{network}/host"
    line = "fa:16:3e:11:22:33,host-10-0-0-5.openstacklocal.,10.0.0.5\n"
    found = server(tmp_path, words("neutron"), {hosts: line}, place)
    assert found is not None
    assert (found.keeper, found.network, found.binding) == (Keeper.NEUTRON, network, "bind-dynamic")
    assert found.interfaces == ()
    assert found.ranges == (
        DhcpRange(first="10.0.0.0", netmask="255.255.255.0", static=True, lease_seconds=86400),
    )
    assert found.hosts == {"10.0.0.5"}
    assert found.lease_file == f"/var/lib/neutron/dhcp/{network}/leases"
    assert found.unread == ""


def test_incus(tmp_path: Path) -> None:
    folder = "/var/lib/incus/networks/incusbr0"
    files = {f"{folder}/dnsmasq.raw": "", f"{folder}/dnsmasq.hosts/c1": "00:16:3e:00:00:01,10.158.71.7,c1\n"}
    found = server(tmp_path, words("incus"), files)
    assert found is not None
    assert (found.keeper, found.network, found.no_ping) == (Keeper.INCUS, "incusbr0", True)
    assert found.interfaces == ("incusbr0",)
    assert found.listen == ("10.158.71.1", "fd42:cf7:7b4:3ad9::1")
    assert found.ranges == (DhcpRange(first="10.158.71.2", last="10.158.71.254"),)
    assert found.hosts == {"10.158.71.7"}


def test_lxc_net(tmp_path: Path) -> None:
    found = server(tmp_path, words("lxc-net"))
    assert found is not None
    assert (found.keeper, found.network, found.unread) == (Keeper.LXC, "lxcbr0", "")
    assert found.listen == ("10.0.3.1",)
    assert found.ranges == (DhcpRange(first="10.0.3.2", last="10.0.3.254"),)


def test_debian_reads_its_folder_and_the_default_file(tmp_path: Path) -> None:
    files = {
        "/etc/dnsmasq.conf": "bind-interfaces\n#interface=eth9\nconf-file=/etc/more.conf\n",
        "/etc/more.conf": 'dhcp-alternate-port\ninterface=br2 # the second\ndhcp-leasefile="/run/leases"\n',
        "/etc/dnsmasq.d/guests": "interface=br1\ndhcp-range=tag:a,10.1.0.5,10.1.0.9,12h\n"
        "dhcp-ignore=tag:!known\n",
        "/etc/dnsmasq.d/guests.dpkg-dist": "interface=br7\n",
        "/etc/dnsmasq.d/guests~": "interface=br8\n",
    }
    found = server(tmp_path, words("debian"), files)
    assert found is not None
    assert found.keeper is Keeper.OTHER
    assert found.interfaces == ("br1", "br2")
    assert found.ranges == (DhcpRange(first="10.1.0.5", last="10.1.0.9", lease_seconds=43200),)
    assert (found.binding, found.port, found.ignores_unknown) == ("bind-interfaces", 1067, True)
    assert found.lease_file == "/run/leases"


def test_a_file_that_includes_itself_and_one_that_is_gone(tmp_path: Path) -> None:
    files = {"/a.conf": "conf-file=/a.conf\nconf-file=/b.conf\ndhcp-range=10.1.0.5,static\n"}
    found = server(tmp_path, ("dnsmasq", "-C/a.conf"), files, state="T")
    assert found is not None
    assert found.unread == "/b.conf does not exist any more"
    assert found.stopped


def test_dns_alone_is_no_server(tmp_path: Path) -> None:
    assert server(tmp_path, ("dnsmasq", "--conf-file=", "--interface=lo")) is None
    pxe = ("dnsmasq", "--conf-file=", "--dhcp-range=10.1.0.0,proxy")
    assert server(tmp_path, pxe) is None


def test_relay_is_one(tmp_path: Path) -> None:
    found = server(tmp_path, ("dnsmasq", "--conf-file=", "--dhcp-relay=10.1.0.1,10.9.0.1"))
    assert found is not None
    assert (found.relays, found.ranges) == (("10.1.0.1,10.9.0.1",), ())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-i br1 -i br2", [("interface", "br1"), ("interface", "br2")]),
        ("-ibr1 -z5", [("interface", "br1"), ("bind-interfaces", ""), ("no-ping", "")]),
        ("-kzi br1", [("k", ""), ("bind-interfaces", ""), ("interface", "br1")]),
        ("--interface br1 --interface=br2", [("interface", "br1"), ("interface", "br2")]),
        ("-p 0 -F 10.1.0.5,10.1.0.9", [("p", ""), ("dhcp-range", "10.1.0.5,10.1.0.9")]),
        ("--dhcp-range", [("dhcp-range", "")]),
        ("-- -i br1", []),
        ("-", []),
        ("", []),
    ],
)
def test_arguments(line: str, expected: list[tuple[str, str]]) -> None:
    assert list(parse_arguments(line.split())) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("10.1.0.5,10.1.0.9", DhcpRange(first="10.1.0.5", last="10.1.0.9")),
        ("10.1.0.5,10.1.0.9,infinite", DhcpRange(first="10.1.0.5", last="10.1.0.9", lease_seconds=None)),
        ("10.1.0.5,10.1.0.9,30", DhcpRange(first="10.1.0.5", last="10.1.0.9", lease_seconds=120)),
        (
            "set:red,tag:a,10.1.0.5,10.1.0.9,1w",
            DhcpRange(first="10.1.0.5", last="10.1.0.9", lease_seconds=604800),
        ),
        ("red,10.1.0.5,10.1.0.9,45m", DhcpRange(first="10.1.0.5", last="10.1.0.9", lease_seconds=2700)),
        ("10.1.0.0,static", DhcpRange(first="10.1.0.0", static=True)),
        (
            "10.1.0.5,10.1.0.9,255.255.0.0,10.1.255.255,2d",
            DhcpRange(first="10.1.0.5", last="10.1.0.9", netmask="255.255.0.0", lease_seconds=172800),
        ),
        ("10.1.0.0,proxy,255.255.255.0", None),
        ("::,constructor:br1,ra-names", None),
        ("fd00::1,fd00::9,64,1h", None),
        ("", None),
        (",,,", None),
    ],
)
def test_range(value: str, expected: DhcpRange | None) -> None:
    assert parse_range(value) == expected


def test_host_lines() -> None:
    line = "52:54:00:AA:BB:CC,52:54:00:AA:BB:DD,set:red,id:*,10.1.0.7,web,infinite"
    assert parse_host(line) == (
        frozenset({"10.1.0.7"}),
        {"52:54:00:aa:bb:cc": None, "52:54:00:aa:bb:dd": None},
    )
    assert parse_host("52:54:00:aa:bb:cc,ignore") == (frozenset(), {})
    assert parse_host("web,[fd00::1]") == (frozenset(), {})


def test_folders() -> None:
    names = ["a.conf", "b", ".c.conf", "d.conf~", "#e.conf#", "f.bak"]
    assert conf_dir_files("/d,*.conf", names) == ("/d", ["a.conf"])
    assert conf_dir_files("/d,.bak", names) == ("/d", ["a.conf", "b"])
    assert conf_dir_files("/d", names) == ("/d", ["a.conf", "b", "f.bak"])


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    list(parse_file(text))
    list(parse_arguments(text.split()))
    parse_range(text)
    parse_host(text)


def test_processes(tmp_path: Path) -> None:
    def process(pid: int, name: str, parent: int, *arguments: str, state: str = "S") -> None:
        folder = tmp_path / str(pid)
        folder.mkdir()
        (folder / "stat").write_text(f"{pid} ({name}) {state} {parent} 1 1 0")
        (folder / "cmdline").write_bytes(b"".join(each.encode() + b"\0" for each in arguments))

    process(10, "dnsmasq", 1, "dnsmasq", "--interface=br1")
    process(11, "dnsmasq", 10, "dnsmasq", "--interface=br1")  # its child for scripts
    process(12, "dnsmasq", 1, "dnsmasq", "--interface=br2", state="T")
    process(13, "dnsmasq", 1, "dnsmasq", state="Z")
    process(14, ") S 1 (dnsmasq", 1, "sh")
    process(15, "dnsmasqd", 1, "dnsmasqd")
    (tmp_path / "16").mkdir()
    (tmp_path / "uptime").touch()
    found = sorted(find_processes(str(tmp_path)), key=lambda each: each.pid)
    assert [(each.pid, each.state) for each in found] == [(10, "S"), (12, "T")]
