"""What the reader makes of libvirt's calls: libvirt's own test driver, and a fake that misbehaves."""

import sys
from pathlib import Path
from typing import Any

import pytest

from hostagent.model.guests import DomainState
from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError
from hostagent.sources.libvirt import LibvirtReader, read_domains
from hostagent.sources.libvirt_xml import DomainXml, parse_domain
from tests.unit.sources.fake_libvirt import Dom, LibvirtError, fail

URI = "fake:///"


def test_live_shut_off_and_transient(domains: list[Dom]) -> None:
    domains += [Dom("a"), Dom("b", state=(5, 6), live=False), Dom("transient")]
    found = LibvirtReader(URI).read().by_uuid
    a, b, transient = found["uuid-a"], found["uuid-b"], found["uuid-transient"]
    assert (a.live, a.state, a.reason, a.persistent) == (True, DomainState.RUNNING, "booted", True)
    assert [each.tap for each in a.interfaces] == ["vnet0"]
    assert [each.tap for each in a.persistent_interfaces] == [None]
    assert (b.live, b.reason, b.interfaces, len(b.persistent_interfaces)) == (False, "failed", (), 1)
    assert (transient.persistent, transient.persistent_interfaces) == (False, ())


def test_a_domain_that_vanishes_is_left_out(domains: list[Dom]) -> None:
    domains += [Dom("a"), Dom("gone")]
    domains[1].xml = fail(42)
    assert set(LibvirtReader(URI).read().by_uuid) == {"uuid-a"}


def test_another_error_of_one_domain_fails_the_section(domains: list[Dom]) -> None:
    domains += [Dom("a"), Dom("odd")]
    domains[1].xml = fail(1)
    reader = LibvirtReader(URI)
    with pytest.raises(ReadError, match="does not hand out the XML of domain 'odd': broken") as raised:
        reader.read()
    assert raised.value.trouble is Trouble.INVALID


def test_a_connection_lost_in_the_middle(domains: list[Dom]) -> None:
    domains.append(Dom("a"))
    fake: Any = sys.modules["libvirt"]

    def lose(_flags: int) -> str:
        fake.opened[-1].alive = 0
        raise LibvirtError(38, "Cannot recv data: Connection reset by peer")

    domains[0].xml = lose
    with pytest.raises(ReadError, match="libvirt unreachable at fake:///: Cannot recv data") as raised:
        LibvirtReader(URI).read()
    assert raised.value.trouble is Trouble.UNREACHABLE


def test_broken_xml_names_the_domain_in_one_line(domains: list[Dom]) -> None:
    domains += [Dom("a"), Dom("evil\n../'x'")]
    domains[1].xml = lambda _flags: "<domain>"
    with pytest.raises(ReadError, match="libvirt's XML of domain") as raised:
        LibvirtReader(URI).read()
    assert raised.value.trouble is Trouble.INVALID
    assert r"evil\n../'x'" in raised.value.reason
    assert "\n" not in raised.value.reason


def test_a_domain_that_starts_meanwhile_is_read_again(domains: list[Dom]) -> None:
    domains.append(Dom("a", state=(5, 1)))
    domains[0].now = (3, 11)
    [found] = LibvirtReader(URI).read().by_uuid.values()
    assert (found.live, found.state, found.reason) == (True, DomainState.PAUSED, "starting up")
    assert found.busy == "domain a is paused for starting up"


def test_without_bulk_state(domains: list[Dom]) -> None:
    domains.append(Dom("a", state=(3, 2)))
    domains[0].stats = None
    [found] = LibvirtReader(URI).read().by_uuid.values()
    assert (found.state, found.reason) == (DomainState.PAUSED, "migration")


def test_xml_is_read_each_time_and_parsed_when_it_changed(
    domains: list[Dom], monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def parse(text: str, name: str) -> DomainXml:
        parsed.append(name)
        return parse_domain(text, name)

    monkeypatch.setattr("hostagent.sources.libvirt.parse_domain", parse)
    domains += [Dom("a"), Dom("b")]
    reader = LibvirtReader(URI)
    first = reader.read()
    assert sorted(parsed) == ["a", "a", "b", "b"]
    assert reader.read() == first
    assert len(parsed) == 4
    text = domains[0].xml(0).replace("vnet0", "vnet1")
    domains[0].xml = lambda _flags: text
    changed = reader.read().by_uuid["uuid-a"]
    assert [each.tap for each in changed.interfaces] == ["vnet1"]
    assert len(parsed) == 6


def test_pulse_asks_over_the_kept_connection(domains: list[Dom]) -> None:
    fake: Any = sys.modules["libvirt"]
    reader = LibvirtReader(URI)
    domains.append(Dom("a"))
    domains[0].xml = fail(1)
    reader.pulse()
    reader.pulse()
    assert len(fake.opened) == 1
    fake.opened[0].stats_error = LibvirtError(38, "client socket is closed")
    reader.pulse()
    assert len(fake.opened) == 2
    fake.openReadOnly = fail(38)
    fake.opened[1].stats_error = LibvirtError(38, "client socket is closed")
    with pytest.raises(ReadError) as raised:
        reader.pulse()
    assert raised.value.trouble is Trouble.UNREACHABLE


def test_a_lost_connection_is_opened_again(domains: list[Dom]) -> None:
    fake: Any = sys.modules["libvirt"]
    reader = LibvirtReader(URI)
    domains.append(Dom("a"))
    reader.read()
    reader.read()
    assert len(fake.opened) == 1
    fake.opened[0].error = LibvirtError(38, "client socket is closed")
    assert len(reader.read().by_uuid) == 1
    assert len(fake.opened) == 2


@pytest.mark.parametrize(
    ("number", "trouble", "step"),
    [
        (2, Trouble.UNREACHABLE, "systemctl status"),
        (111, Trouble.UNREACHABLE, "is the daemon running"),
        (13, Trouble.DENIED, "run as root"),
    ],
)
def test_no_connection(domains: list[Dom], number: int, trouble: Trouble, step: str) -> None:
    assert not domains
    fake: Any = sys.modules["libvirt"]

    def refuse(_uri: str) -> None:
        raise LibvirtError(38, "Failed to connect socket", number)

    fake.openReadOnly = refuse
    with pytest.raises(ReadError, match=step) as raised:
        LibvirtReader(URI).read()
    assert raised.value.trouble is trouble


def test_not_installed_and_not_wanted(tmp_path: Path) -> None:
    for reader in (LibvirtReader("qemu:///system", root=str(tmp_path)), LibvirtReader("")):
        with pytest.raises(ReadError) as raised:
            reader.read()
        assert raised.value.trouble is Trouble.ABSENT


def test_installed_without_its_python_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/libvirtd").touch()
    monkeypatch.setitem(sys.modules, "libvirt", None)
    with pytest.raises(ReadError, match="install python3-libvirt") as raised:
        LibvirtReader("qemu:///system", root=str(tmp_path)).read()
    assert raised.value.trouble is Trouble.INVALID


def test_libvirts_own_test_driver() -> None:
    pytest.importorskip("libvirt")
    [found] = read_domains("test:///default", seconds=10).by_uuid.values()
    assert (found.name, found.live, found.state, found.job) == ("test", True, DomainState.RUNNING, "")


def test_errors_are_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("libvirt")
    with pytest.raises(ReadError):
        read_domains("qemu+unix:///system?socket=/nonexistent/libvirt.sock", seconds=10)
    with pytest.raises(ReadError, match="unreachable"):
        read_domains("test+unix:///default?socket=/nonexistent/libvirt.sock", seconds=10)
    assert capfd.readouterr().err == ""
