"""libvirt's events and their words: against its own constants, and as its test driver sends them."""

from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Any

import pytest

from hostagent.sources.libvirt_events import agent_word, lifecycle_words
from hostagent.sources.watch_libvirt import LibvirtWatch

libvirt = pytest.importorskip("libvirt")

URI = "test:///default"
TYPES = (
    "DEFINED",
    "UNDEFINED",
    "STARTED",
    "SUSPENDED",
    "RESUMED",
    "STOPPED",
    "SHUTDOWN",
    "PMSUSPENDED",
    "CRASHED",
)
SHORT = {"from snapshot": "snapshot"}
Event = tuple[str, str, str]


@pytest.mark.parametrize("name", TYPES)
def test_words_are_the_enumerations_names(name: str) -> None:
    event = getattr(libvirt, f"VIR_DOMAIN_EVENT_{name}")
    prefix = f"VIR_DOMAIN_EVENT_{name}_"
    details = {each.removeprefix(prefix): each for each in dir(libvirt) if each.startswith(prefix)}
    details.pop("LAST", None)
    assert details
    for detail, constant in details.items():
        word = detail.lower().replace("_", " ")
        found = lifecycle_words(event, getattr(libvirt, constant))
        assert found == (name.lower(), SHORT.get(word, word))


@pytest.mark.parametrize("numbers", [(-1, 0), (99, 0)])
def test_an_event_that_nobody_knows(numbers: tuple[int, int]) -> None:
    assert lifecycle_words(*numbers) == ("", "")


def test_a_detail_that_nobody_knows() -> None:
    assert lifecycle_words(2, 99) == ("started", "")
    assert [agent_word(number) for number in (-1, 0, 1, 2, 3)] == ["", "", "connected", "disconnected", ""]


class Told:
    def __init__(self) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()

    def __call__(self, *event: str) -> None:
        self.events.put((event[0], event[1], event[2]))

    def next(self, seconds: float = 10.0) -> Event | None:
        try:
            return self.events.get(timeout=seconds)
        except Empty:
            return None


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    watch = LibvirtWatch(URI, lambda: None, told)
    watch.start()
    assert told.next() == ("", "connected", "")
    yield told
    watch.close()
    assert told.next() == ("", "lost", "")
    assert told.next(0.1) is None


def test_told_in_order(told: Told) -> None:
    connection = libvirt.open(URI)
    domain = connection.lookupByName("test")
    uuid = domain.UUIDString()

    def metadata() -> None:
        domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<a/>", "a", "urn:a", 0)

    steps: list[tuple[Callable[[], Any], list[tuple[str, str]]]] = [
        (domain.suspend, [("suspended", "paused")]),
        (domain.resume, [("resumed", "unpaused")]),
        (metadata, [("metadata", "")]),
        (domain.destroy, [("stopped", "destroyed")]),
        (domain.create, [("started", "booted")]),
    ]
    for step, events in steps:
        step()
        for event in events:
            assert told.next() == (uuid, *event)
    connection.close()


def test_nobody_home_is_not_told() -> None:
    told = Told()
    watch = LibvirtWatch("test+unix:///default?socket=/nonexistent", lambda: None, told)
    watch.start()
    assert told.next(0.3) is None
    watch.close()
    assert told.next(0.1) is None
