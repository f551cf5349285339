"""Between looks: the pulse of the daemons, what a look may reuse, and how each section fares."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hostagent.model.host import SECTIONS, Trouble, Unavailable
from hostagent.model.published import SourceHealth
from hostagent.model.units import Units
from hostagent.sources import gather
from hostagent.sources.deadline import ReadError
from hostagent.sources.gather import Gatherer
from tests.lab import soon
from tests.unit.sources.fake_server import FakeServer, reply


class Counter:
    """A reader that counts its calls."""

    def __init__(self, value: Any) -> None:
        self.value, self.calls = value, 0

    def __call__(self, *_: object, **__: object) -> Any:
        self.calls += 1
        return self.value


def test_what_no_repair_rests_on_may_be_reused(gatherer: Gatherer, monkeypatch: pytest.MonkeyPatch) -> None:
    options, holders = Counter("options"), Counter({"vnet0": (7,)})
    monkeypatch.setattr(gather, "read_ovs_ctl_options", options)
    monkeypatch.setattr(gather, "read_tap_holders", holders)
    first = gatherer.look(timeout_seconds=2)
    assert gatherer.look(timeout_seconds=2, reuse_seconds=60).ovs_ctl_options == first.ovs_ctl_options
    assert (options.calls, holders.calls) == (1, 2), "a tap is deleted only if nobody holds it now"
    gatherer.look(timeout_seconds=2)
    assert options.calls == 2
    time.sleep(0.05)
    gatherer.look(timeout_seconds=2, reuse_seconds=0.04)
    assert options.calls == 3, "too old"
    time.sleep(0.05)
    asked = time.time()
    gatherer.look(timeout_seconds=2, reuse_seconds=60)
    read_at = {each.section: each.read_at or 0.0 for each in gatherer.health()}
    assert read_at["ovs_ctl_options"] < asked - 0.04 < asked <= read_at["tap_holders"]


def test_a_failure_is_not_reused(gatherer: Gatherer, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise ReadError(Trouble.INVALID, "broken")

    monkeypatch.setattr(gather, "read_ovs_ctl_options", fail)
    assert isinstance(gatherer.look(timeout_seconds=2, reuse_seconds=60).ovs_ctl_options, Unavailable)
    monkeypatch.setattr(gather, "read_ovs_ctl_options", lambda: "well")
    assert gatherer.look(timeout_seconds=2, reuse_seconds=60).ovs_ctl_options == "well"


def test_units_are_shared_by_the_looks_of_one_repair(
    gatherer: Gatherer, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Counter(Units(by_name={}))
    monkeypatch.setattr(gather, "read_units", read)
    for _ in range(3):
        gatherer.look(timeout_seconds=2)
    assert read.calls == 1


def test_pulse_says_what_changed_since_the_last_look(tmp_path: Path, gatherer: Gatherer) -> None:
    with FakeServer(tmp_path / "db.sock", lambda _: None):
        assert gatherer.pulse(1) == {"domains", "ovs", "vswitchd"}, "no look has said so yet"
        gatherer.look(timeout_seconds=1)
        began = time.monotonic()
        assert gatherer.pulse(1) == frozenset()
        assert time.monotonic() - began < 10
    (tmp_path / "db.sock").unlink()
    assert gatherer.pulse(1) == {"ovs"}, "another trouble: nobody listens any more"
    (tmp_path / "ovs-vswitchd.pid").write_text("1\n")
    with FakeServer(tmp_path / "ovs-vswitchd.1.ctl", lambda request: [reply(request, "anything")]):
        assert "vswitchd" in gatherer.pulse(2), "it is back"


def test_pulse_asks_nobody_who_still_owes_an_answer(
    gatherer: Gatherer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, calls = threading.Event(), Counter(None)

    def hang() -> None:
        calls()
        gate.wait(60)

    monkeypatch.setattr(gatherer._libvirt, "pulse", hang)
    gatherer.look(timeout_seconds=2)
    threads = set(threading.enumerate())
    for _ in range(4):
        assert "domains" in gatherer.pulse(0.1)
    assert calls.calls == 1
    assert not set(threading.enumerate()) - threads
    gate.set()
    monkeypatch.undo()
    assert soon(30, lambda: "domains" not in gatherer.pulse(2)), "as absent as the look found it"


def test_health(tmp_path: Path, gatherer: Gatherer) -> None:
    assert gatherer.health() == ()
    before = time.time()
    first = {each.section: each for each in look_and_tell(gatherer)}
    assert "flows" not in first, "nobody asked for it"
    assert set(first) == set(SECTIONS) - {"flows"}
    ovs, links = first["ovs"], first["links"]
    assert (links.trouble, links.reason, links.since) == ("", "", None)
    assert links.read_at is not None
    assert before <= links.read_at <= time.time()
    assert (ovs.trouble, ovs.read_at) in {("absent", None), ("unreachable", None)}
    with FakeServer(tmp_path / "db.sock", lambda _: None):
        gatherer.pulse(1)
        assert {each.section: each for each in gatherer.health()}["ovs"] == ovs, "a pulse is no look"
        later = {each.section: each for each in look_and_tell(gatherer)}["ovs"]
    assert (later.trouble, later.since) == ("unresponsive", ovs.since)
    assert "does not answer" in later.reason


def look_and_tell(gatherer: Gatherer) -> tuple[SourceHealth, ...]:
    gatherer.look(timeout_seconds=1)
    return gatherer.health()
