"""Guests as pacing reads them: a libvirt that misbehaves, and libvirt's own test driver."""

import sys
from typing import TYPE_CHECKING, Any

import pytest

from hostagent.model.boot_wish import XMLNS, BootWish
from hostagent.model.guests import DomainState, Manager
from hostagent.model.host import Trouble
from hostagent.sources.boots.boot_xml import BootXml, parse_boot
from hostagent.sources.boots.reader import BootReader
from hostagent.sources.deadline import ReadError
from hostagent.sources.libvirt import LibvirtReader
from tests.unit.sources.fake_libvirt import Dom, LibvirtError, fail

if TYPE_CHECKING:
    from collections.abc import Callable

URI = "fake:///"
NUMBERS = {"block.count": 1, "block.0.name": "vda", "block.0.rd.reqs": 3, "vcpu.current": 1, "vcpu.0.time": 9}


def wishing(priority: int) -> str:
    boot = f"<hostagent:boot xmlns:hostagent='{XMLNS}' priority='{priority}' adopted='yes'/>"
    return f"<metadata>{boot}</metadata><memory unit='KiB'>1024</memory>"


def say(domain: Dom, inside: str) -> None:
    start = "<domain id='7'>" if domain.live else "<domain>"
    domain.xml = lambda _flags: f"{start}{inside}</domain>"


def test_all_of_them(domains: list[Dom]) -> None:
    domains += [Dom("b", state=(3, 1)), Dom("a", state=(5, 1), live=False), Dom("transient")]
    say(domains[0], wishing(5))
    domains[1].starts_itself = True
    a, b, transient = BootReader(URI).guests()
    assert (a.uuid, a.name, a.id, a.state, a.autostart) == ("uuid-a", "a", None, DomainState.SHUTOFF, True)
    assert (b.id, b.state, b.reason, b.autostart) == (7, DomainState.PAUSED, "user", False)
    assert (b.wish, b.memory) == (BootWish(priority=5, adopted=True), 1 << 20)
    assert (transient.persistent, b.persistent) == (False, True)


def test_one_of_them_is_what_all_of_them_say(domains: list[Dom]) -> None:
    domains += [Dom("a", state=(3, 1)), Dom("b", state=(5, 1), live=False), Dom("transient")]
    domains[1].starts_itself = True
    say(domains[0], "<metadata><n:i xmlns:n='http://openstack.org/xmlns/libvirt/nova/1.1'/></metadata>")
    reader = BootReader(URI)
    every = reader.guests()
    assert every == tuple(reader.guest(each.uuid) for each in every)
    assert every[0].managers == {Manager.NOVA}
    assert reader.guest("uuid-none") is None


def test_one_that_vanishes_meanwhile(domains: list[Dom]) -> None:
    domains += [Dom("a"), Dom("gone")]
    domains[1].xml = fail(42)
    reader = BootReader(URI)
    assert [each.name for each in reader.guests()] == ["a"]
    assert reader.guest("uuid-gone") is None
    assert reader.figures_of("uuid-none") is None


def test_one_that_starts_meanwhile_is_read_again(domains: list[Dom]) -> None:
    domains.append(Dom("a", state=(5, 1)))
    domains[0].now = (1, 1)
    [found] = BootReader(URI).guests()
    assert (found.state, found.reason, found.id) == (DomainState.RUNNING, "booted", 1)


def test_xml_is_parsed_when_it_changed(domains: list[Dom], monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def parse(text: str, name: str) -> BootXml:
        parsed.append(name)
        return parse_boot(text, name)

    monkeypatch.setattr("hostagent.sources.boots.reader.parse_boot", parse)
    domains += [Dom("a"), Dom("b")]
    reader = BootReader(URI)
    first = reader.guests()
    assert reader.guests() == first
    assert reader.guest("uuid-a") == first[0]
    assert parsed == ["a", "b"]
    say(domains[0], wishing(3))
    found = reader.guest("uuid-a")
    assert found is not None
    assert found.wish.priority == 3
    assert parsed == ["a", "b", "a"]


def test_xml_that_cannot_be_read_names_the_domain(domains: list[Dom]) -> None:
    domains.append(Dom("evil"))
    domains[0].xml = lambda _flags: "<domain>"
    reader = BootReader(URI)
    for ask in (reader.guests, lambda: reader.guest("uuid-evil")):
        with pytest.raises(ReadError, match="XML of domain 'evil' can't be read") as raised:
            ask()
        assert raised.value.trouble is Trouble.INVALID


def test_a_lost_connection_is_opened_again(domains: list[Dom]) -> None:
    fake: Any = sys.modules["libvirt"]
    domains.append(Dom("a"))
    domains[0].balloon = dict[str, Any](NUMBERS)
    reader = BootReader(URI)
    asks: tuple[Callable[[], object], ...] = (
        reader.guests,
        lambda: reader.guest("uuid-a"),
        reader.figures,
        lambda: reader.figures_of("uuid-a"),
    )
    for number, ask in enumerate(asks):
        assert ask()
        assert len(fake.opened) == number + 1
        fake.opened[-1].error = fake.opened[-1].stats_error = LibvirtError(38, "client socket is closed")
    reader.close()
    fake.openReadOnly = fail(38)
    with pytest.raises(ReadError, match="libvirt unreachable") as raised:
        reader.figures()
    assert raised.value.trouble is Trouble.UNREACHABLE


def test_figures(domains: list[Dom]) -> None:
    domains += [Dom("a"), Dom("busy")]
    domains[0].balloon = dict[str, Any](NUMBERS)
    reader = BootReader(URI)
    first = reader.figures()
    assert set(first.by_uuid) == {"uuid-a"}
    assert first.by_uuid["uuid-a"] == reader.figures_of("uuid-a")
    assert first.by_uuid["uuid-a"].requests == 3
    assert reader.figures_of("uuid-busy") is None
    assert reader.figures().at > first.at
    assert reader.figures(("uuid-a", "uuid-busy", "uuid-none")).by_uuid == first.by_uuid
    assert reader.figures(()).by_uuid == {}


@pytest.mark.parametrize("code", [3, 8])
def test_a_driver_without_statistics(domains: list[Dom], code: int) -> None:
    fake: Any = sys.modules["libvirt"]
    domains.append(Dom("a"))
    reader = BootReader(URI)
    reader.guests()
    fake.opened[0].stats_error = LibvirtError(code)
    assert reader.figures().by_uuid == {}


def test_the_look_of_all_domains_has_both_too(domains: list[Dom]) -> None:
    domains += [Dom("a"), Dom("b")]
    domains[1].starts_itself = True
    live, stored = wishing(1), wishing(2)
    domains[0].xml = lambda flags: (
        f"<domain>{stored}</domain>" if flags & 2 else f"<domain id='1'>{live}</domain>"
    )
    found = LibvirtReader(URI).read().by_uuid
    assert [found[uuid].autostart for uuid in ("uuid-a", "uuid-b")] == [False, True]
    assert found["uuid-a"].wish.priority == 2, "the next boot's, as it is defined"


def test_libvirts_own_test_driver() -> None:
    pytest.importorskip("libvirt")
    reader = BootReader("test:///default")
    [found] = reader.guests()
    assert reader.guest(found.uuid) == found
    assert (found.name, found.state, found.persistent, found.autostart) == (
        "test",
        DomainState.RUNNING,
        True,
        False,
    )
    assert found.memory == 8 << 30
    reader.figures()
    reader.figures_of(found.uuid)
    reader.close()
