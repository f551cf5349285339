"""Guests, with libvirt's own test driver: only the run that was meant, only from the state that was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hostagent.act.boot.connection import GuestError
from hostagent.act.boot.guests import Guests
from hostagent.errors import RefusedError
from hostagent.model.boot_wish import XMLNS, BootWish

if TYPE_CHECKING:
    from pathlib import Path

libvirt = pytest.importorskip("libvirt")

UUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"
NOBODY = "00000000-0000-4000-8000-0000000000aa"
XML = f"""<node><domain type='test'><name>web</name><uuid>{UUID}</uuid><memory>8192</memory>
<os><type>hvm</type></os></domain></node>"""
CONFIG, LIVE = 2, 1
OPEN = libvirt.open


class Shared:
    """Whoever opens gets this one: each connection of the test driver has domains of its own."""

    def __init__(self, file: Path) -> None:
        file.write_text(XML)
        self.connection: Any = OPEN(f"test://{file}")
        self.opened = 0
        self.lost = False
        self.before: list[Any] = []  # each is called at one look-up

    def open(self, _uri: str) -> Shared:
        self.opened += 1
        self.lost = False
        return self

    def __getattr__(self, name: str) -> Any:
        if name == "isAlive":
            return lambda: not self.lost
        if name == "lookupByUUIDString":
            return self.look_up
        return getattr(self.connection, name)

    def look_up(self, uuid: str) -> Any:
        if self.before:
            self.before.pop(0)()
        return self.connection.lookupByUUIDString(uuid)

    @property
    def web(self) -> Any:
        return self.connection.lookupByUUIDString(UUID)

    def again(self) -> None:
        """Another run of the guest."""
        self.web.destroy()
        self.web.create()

    def lose(self) -> None:
        self.lost = True
        raise libvirt.libvirtError("gone")


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shared:
    libvirt.registerErrorHandler(lambda *_: None, None)
    made = Shared(tmp_path / "node.xml")
    monkeypatch.setattr(libvirt, "open", made.open)
    return made


@pytest.fixture
def guests(shared: Shared) -> Guests:
    assert shared.web.isActive()
    return Guests("test:///shared")


def test_the_run_that_was_meant_is_suspended_and_resumed(guests: Guests, shared: Shared) -> None:
    run = shared.web.ID()
    assert guests.suspend(UUID, run)
    assert shared.web.state() == [3, 1]
    assert not guests.suspend(UUID, run), "a paused one is not held, whoever paused it"
    assert guests.resume(UUID, run)
    assert shared.web.state()[0] == 1
    assert not guests.resume(UUID, run)
    assert shared.opened == 1


def test_another_run_or_none_is_never_touched(guests: Guests, shared: Shared) -> None:
    run = shared.web.ID()
    shared.again()
    assert not guests.suspend(UUID, run)
    assert shared.web.state()[0] == 1
    shared.web.suspend()
    assert not guests.resume(UUID, run)
    assert shared.web.state()[0] == 3
    shared.web.destroy()
    for act in (guests.suspend, guests.resume):
        assert not act(UUID, run)
        assert not act(NOBODY, 1)
    assert guests.slow(UUID, run, 100) == ()
    assert not guests.unslow(NOBODY, run, (), 100)
    assert not guests.saved(UUID)
    assert not guests.wake(UUID)


def test_a_run_that_began_between_look_and_suspension_goes_on(guests: Guests, shared: Shared) -> None:
    """libvirt finds a guest by its UUID alone: what was suspended by mistake is found out, and resumed."""
    run = shared.web.ID()
    domain = type(shared.web)
    suspend, meant = domain.suspend, shared.web

    def late(each: Any) -> int:
        shared.again()
        result = suspend(each)
        return int(result)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(domain, "suspend", late)
        assert not guests.suspend(UUID, run)
    assert shared.web.ID() != meant.ID()
    assert shared.web.state()[0] == 1


def test_starts(guests: Guests, shared: Shared) -> None:
    run = shared.web.ID()
    assert guests.start(UUID) == run, "it runs already"
    shared.web.destroy()
    assert guests.start(UUID) == shared.web.ID() != run
    with pytest.raises(RefusedError, match=f"domain {NOBODY} can't be started: .*"):
        guests.start(NOBODY)


def test_wishes_and_autostart(guests: Guests, shared: Shared) -> None:
    def metadata(flags: int) -> str:
        return str(shared.web.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, XMLNS, flags))

    guests.wish(UUID, BootWish(priority=7, after=("the <db>",), adopted=True))
    for flags in (LIVE, CONFIG):
        assert 'priority="7"' in metadata(flags)
        assert "the &lt;db&gt;" in metadata(flags)
    guests.wish(UUID, None)
    with pytest.raises(libvirt.libvirtError):
        metadata(CONFIG)
    shared.web.destroy()
    guests.wish(UUID, BootWish(exempt=True))
    assert 'exempt="yes"' in metadata(CONFIG)
    guests.autostart(UUID, on=True)
    assert shared.web.autostart() == 1
    guests.autostart(UUID, on=False)
    assert shared.web.autostart() == 0
    with pytest.raises(GuestError):
        guests.autostart(NOBODY, on=True)


def test_a_lost_connection_is_opened_again_once(guests: Guests, shared: Shared) -> None:
    run = shared.web.ID()
    assert guests.suspend(UUID, run)
    shared.before = [shared.lose]
    assert guests.resume(UUID, run)
    assert shared.opened == 2
    shared.before = [shared.lose, shared.lose]
    with pytest.raises(GuestError) as found:
        guests.suspend(UUID, run)
    assert found.value.retryable
    assert shared.web.state()[0] == 1
    guests.close()
    assert guests.suspend(UUID, run)
    assert shared.opened == 4


def test_no_libvirt_is_said() -> None:
    with pytest.raises(GuestError, match="no libvirt: sources"):
        Guests("").suspend(UUID, 1)
    with pytest.raises(GuestError, match="libvirt can't be reached at qemu\\+unix:///") as found:
        Guests("qemu+unix:///system?socket=/nowhere").suspend(UUID, 1)
    assert found.value.retryable


class Disks:
    """A running guest with two disks, one of which may refuse."""

    def __init__(self) -> None:
        self.tunes: dict[str, dict[str, Any]] = {"vda": {"total_iops_sec": 0}, "vdb": {"group_name": "x"}}
        self.refused = ""

    def __getattr__(self, name: str) -> Any:
        names = {"ID": lambda: 4, "blockIoTune": self.tune, "setBlockIoTune": self.set, "isAlive": lambda: 1}
        names |= {"lookupByUUIDString": lambda _: self, "domainListGetStats": self.stats}
        names["setKeepAlive"] = lambda *_: 0
        return names[name]

    def tune(self, disk: str, _: int) -> dict[str, Any]:
        return self.tunes[disk]

    def set(self, disk: str, values: dict[str, int], flags: int) -> int:
        assert flags == LIVE
        if disk == self.refused:
            raise libvirt.libvirtError("no")
        self.tunes[disk] |= values
        return 0

    def stats(self, *_: object) -> list[tuple[object, dict[str, Any]]]:
        numbers: dict[str, Any] = {"block.count": 3, "block.2.name": "sda"}  # a drive without a medium
        for number, disk in enumerate(self.tunes):
            numbers |= {f"block.{number}.name": disk, f"block.{number}.path": "/x"}
        return [(self, numbers)]

    @property
    def iops(self) -> list[int]:
        return [int(each.get("total_iops_sec", 0)) for each in self.tunes.values()]


@pytest.fixture
def disks(monkeypatch: pytest.MonkeyPatch) -> Disks:
    made = Disks()
    monkeypatch.setattr(libvirt, "open", lambda _: made)
    return made


def test_disks_are_slowed_and_given_back(disks: Disks) -> None:
    guests = Guests("test:///disks")
    assert guests.slow(UUID, 4, 100) == ("vda", "vdb")
    assert disks.iops == [100, 100]
    assert guests.slow(UUID, 4, 50) == (), "limits of its own"
    assert not guests.unslow(UUID, 5, (), 100), "another run"
    assert guests.unslow(UUID, 4, ("vda",), 100)
    assert disks.iops == [0, 100]
    disks.tunes["vdb"]["read_bytes_sec"] = 5
    assert not guests.unslow(UUID, 4, (), 100), "somebody has set another limit meanwhile"
    del disks.tunes["vdb"]["read_bytes_sec"]
    assert not guests.unslow(UUID, 4, (), 99)
    assert guests.unslow(UUID, 4, (), 100)
    assert disks.iops == [0, 0]


def test_a_guest_is_slowed_on_all_disks_or_none(disks: Disks) -> None:
    disks.refused = "vdb"
    with pytest.raises(GuestError):
        Guests("test:///disks").slow(UUID, 4, 100)
    assert disks.iops == [0, 0]
