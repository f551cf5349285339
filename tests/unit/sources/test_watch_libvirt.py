"""libvirt's events, of its own test driver, and a daemon that accepts and says nothing."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hostagent.sources.watch_libvirt import LibvirtWatch

libvirt = pytest.importorskip("libvirt")

OWN = {"watch libvirt", "libvirt's events"}
URI = "test:///default"  # one and the same for all connections of a process


class Wakes:
    def __init__(self) -> None:
        self.count = 0
        self.changed = threading.Event()

    def __call__(self) -> None:
        self.count += 1
        self.changed.set()

    def next(self, seconds: float = 30.0) -> bool:
        woken = self.changed.wait(seconds)
        self.changed.clear()
        return woken


@pytest.fixture
def wakes() -> Wakes:
    return Wakes()


@pytest.fixture
def watching(wakes: Wakes) -> Iterator[LibvirtWatch]:
    watch = LibvirtWatch(URI, wakes)
    watch.start()
    assert wakes.next(), "what changed before nobody told"
    yield watch
    watch.close()
    assert until(lambda: own_threads() == [])


def own_threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name in OWN]


def until(true: Callable[[], bool], seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


@pytest.mark.usefixtures("watching")
def test_a_domain_that_changes_wakes(wakes: Wakes) -> None:
    connection = libvirt.open(URI)
    domain = connection.lookupByName("test")
    for change in (domain.suspend, domain.resume):
        change()
        assert wakes.next()
    before = wakes.count
    connection.listAllDomains(0)
    assert not wakes.next(0.3)
    assert wakes.count == before, "looking does not wake"
    connection.close()


def test_a_second_one_after_the_first(wakes: Wakes) -> None:
    for _ in range(3):
        watch = LibvirtWatch(URI, wakes)
        watch.start()
        assert wakes.next()
        connection = libvirt.open(URI)
        connection.lookupByName("test").suspend()
        assert wakes.next()
        connection.lookupByName("test").resume()
        connection.close()
        watch.close()
        wakes.next(0.05)
        assert until(lambda: own_threads() == [])


def test_reads_go_on_while_a_wake_does_not_return(wakes: Wakes) -> None:
    gate = threading.Event()
    entered = threading.Event()

    def stuck() -> None:
        wakes()
        if wakes.count > 1:
            entered.set()
            gate.wait(60)

    watch = LibvirtWatch(URI, stuck)
    watch.start()
    assert wakes.next()
    connection = libvirt.open(URI)
    domain = connection.lookupByName("test")
    domain.suspend()
    assert entered.wait(30)
    assert [each.name() for each in connection.listAllDomains(0)] == ["test"]
    domain.resume()
    connection.close()
    gate.set()
    watch.close()
    assert until(lambda: own_threads() == [])


def test_a_hung_daemon_holds_up_nobody(tmp_path: Path, wakes: Wakes) -> None:
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen(4)
        watch = LibvirtWatch(f"test+unix:///default?socket={path}", wakes)
        watch.start()
        client, _ = silent.accept()
        began = time.monotonic()
        watch.close()
        assert time.monotonic() - began < 10
        assert wakes.count == 0
        client.close()
    assert until(lambda: own_threads() == []), "it ends when libvirt lets it go"


def test_nobody_there(tmp_path: Path, wakes: Wakes) -> None:
    for uri in ("", f"test+unix:///default?socket={tmp_path}/none"):
        watch = LibvirtWatch(uri, wakes)
        watch.start()
        time.sleep(0.1)
        watch.close()
    assert wakes.count == 0
    assert until(lambda: own_threads() == [])
