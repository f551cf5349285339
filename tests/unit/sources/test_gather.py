"""A look at a host: everything at once, each section failing by itself, in time."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hostagent.config import Settings
from hostagent.model.host import SECTIONS, Snapshot, Trouble, Unavailable
from hostagent.model.ports import Links
from hostagent.sources import gather
from hostagent.sources.gather import Gatherer
from hostagent.sources.installed import libvirt_installed, ovs_installed
from tests.lab import soon
from tests.unit.sources.conftest import THIN, settings
from tests.unit.sources.fake_server import FakeServer


def troubles(snapshot: Snapshot) -> dict[str, Trouble]:
    sections = {name: getattr(snapshot, name) for name in SECTIONS}
    return {name: each.trouble for name, each in sections.items() if isinstance(each, Unavailable)}


def test_each_section_fails_by_itself(tmp_path: Path, gatherer: Gatherer) -> None:
    began = time.monotonic()
    with FakeServer(tmp_path / "db.sock", lambda _: None):
        snapshot = gatherer.look(timeout_seconds=0.5)
    assert time.monotonic() - began < 10
    found = troubles(snapshot)
    assert found["domains"] is Trouble.ABSENT
    assert found["ovs"] is Trouble.UNRESPONSIVE
    assert found["flows"] is Trouble.NOT_ASKED
    assert snapshot.links is THIN
    assert snapshot.tap_holders == {}


@pytest.mark.skipif(libvirt_installed() or ovs_installed(), reason="this host has libvirt or Open vSwitch")
def test_a_host_that_has_neither() -> None:
    gatherer = Gatherer(Settings())
    found = troubles(gatherer.look(timeout_seconds=5))
    gatherer.close()
    absent = ("domains", "ovs", "vswitchd", "packet_sockets", "ovs_ctl_options")
    assert [found[name] for name in absent] == [Trouble.ABSENT] * 5
    assert "links" not in found


def test_flows_on_request(tmp_path: Path, gatherer: Gatherer) -> None:
    (tmp_path / "ovs-vswitchd.pid").write_text("1\n")
    found = troubles(gatherer.look(timeout_seconds=2, flows=True))
    assert found["flows"] is found["vswitchd"] is found["packet_sockets"] is Trouble.UNREACHABLE


def test_since_keeps_the_first_time(tmp_path: Path, gatherer: Gatherer) -> None:
    first = gatherer.look(timeout_seconds=2).ovs
    with FakeServer(tmp_path / "db.sock", lambda _: None):
        second = gatherer.look(timeout_seconds=0.2).ovs
    assert isinstance(first, Unavailable)
    assert isinstance(second, Unavailable)
    assert second.trouble is Trouble.UNRESPONSIVE
    assert first.since == second.since


def test_since_starts_again_after_a_success(gatherer: Gatherer, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Links:
        raise OSError("no buffer space")

    def since() -> float:
        monkeypatch.setattr(gather, "read_links", fail)
        found = gatherer.look(timeout_seconds=2).links
        assert isinstance(found, Unavailable)
        return found.since

    first = since()
    monkeypatch.setattr(gather, "read_links", lambda: THIN)
    assert gatherer.look(timeout_seconds=2).links is THIN
    assert since() > first


def test_a_bug_in_one_reader_is_one_sections_trouble(
    gatherer: Gatherer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_proc: str) -> Any:
        raise TypeError("oh\nno")

    monkeypatch.setattr(gather, "read_tap_holders", fail)
    found = gatherer.look(timeout_seconds=2).tap_holders
    assert isinstance(found, Unavailable)
    assert found.trouble is Trouble.INVALID
    assert found.reason == (
        "the open files in /proc could not be read: TypeError: oh no (a bug in hostagent: report it)"
    )


def test_a_call_that_never_returns(gatherer: Gatherer, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    def hang() -> Links:
        gate.wait(60)
        return THIN

    monkeypatch.setattr(gather, "read_links", hang)
    began = time.monotonic()
    first = gatherer.look(timeout_seconds=1)
    assert isinstance(first.links, Unavailable)
    assert first.links.reason.startswith("rtnetlink did not answer within 1 s (")
    assert first.tap_holders == {}  # waits for links, but only for a part of the time
    second = gatherer.look(timeout_seconds=1)
    assert isinstance(second.links, Unavailable)
    assert "rtnetlink has not answered for" in second.links.reason
    assert time.monotonic() - began < 10
    gate.set()
    assert soon(30, lambda: gatherer.look(timeout_seconds=2).links is THIN)


def test_rows_are_read_before_links_and_links_before_holders(
    tmp_path: Path, gatherer: Gatherer, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    def links() -> Links:
        order.append("links")
        return THIN

    def holders(_proc: str) -> dict[str, tuple[int, ...]]:
        order.append("holders")
        return {}

    def slow(_request: dict[str, Any]) -> list[bytes]:
        time.sleep(0.1)
        order.append("rows")
        return []

    monkeypatch.setattr(gather, "read_links", links)
    monkeypatch.setattr(gather, "read_tap_holders", holders)
    with FakeServer(tmp_path / "db.sock", slow):
        gatherer.look(timeout_seconds=5)
    assert order == ["rows", "links", "holders"]


def test_the_time_of_a_look(gatherer: Gatherer) -> None:
    before = time.time()
    assert before <= gatherer.look(timeout_seconds=2).taken_at <= time.time()


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    gatherer = Gatherer(settings(tmp_path))
    gatherer.look(timeout_seconds=5)
    readers = set(threading.enumerate()) - before
    assert len(readers) >= 7
    gatherer.close()
    for each in readers:
        each.join(30)
    assert not any(each.is_alive() for each in readers)
    gatherer.close()
