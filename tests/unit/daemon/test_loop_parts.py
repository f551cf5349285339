"""The loop's small parts: what wakes it, what it counts, what it logs, what it tells systemd."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hostagent.act import places
from hostagent.daemon import changes
from hostagent.daemon.notify import Notifier
from hostagent.daemon.tally import Tally
from hostagent.daemon.wakes import Wakes
from hostagent.health.api import ObjectResult, State
from hostagent.health.report import Report, Result
from hostagent.model.published import Hold, SourceHealth

if TYPE_CHECKING:
    from pathlib import Path


def report(state: State, *objects: str) -> Report:
    listed = tuple(ObjectResult(id=name, detail="") for name in objects)
    result = Result(code="OVS_PORT_STALE", state=state, summary="words", objects=listed)
    return Report(host="n", taken_at=1.0, results=(result,))


def test_events_are_taken_once_with_the_time_of_the_first() -> None:
    wakes, began = Wakes(), time.monotonic()
    assert not wakes.wait(0)
    for reason in ("links", "ovsdb", "links"):
        wakes.wake(reason)
    assert wakes.wait(0)
    woken = wakes.take()
    assert woken.reasons == {"links", "ovsdb"}
    assert began <= woken.first <= time.monotonic()
    assert not wakes.wait(0)
    assert wakes.take().reasons == frozenset()
    wakes.wake("timer")
    assert wakes.wait(0), "after a take as before it"
    assert wakes.counts() == {"links": 2, "ovsdb": 1, "timer": 1}


def test_waiting_ends_with_the_event_or_with_the_time() -> None:
    wakes, began = Wakes(), time.monotonic()
    assert not wakes.wait(began + 0.05)
    threading.Timer(0.05, wakes.wake, ["timer"]).start()
    assert wakes.wait(began + 60)
    assert time.monotonic() < began + 30


def test_latencies_are_counted_as_prometheus_has_them() -> None:
    tally = Tally()
    for seconds in (0.05, 0.3, 2.1, 400.0):
        tally.repaired(seconds)
    tally.repaired(None)
    found = dict(zip(tally.latency.le, tally.latency.counts, strict=True))
    assert (found[0.1], found[0.25], found[0.5], found[2.25], found[300.0]) == (1, 1, 2, 3, 3)
    assert tally.latency.count == 4
    assert len(tally.done_at) == 5, "the latch counts them all"
    tally.ended(("A", "B"), "done")
    assert [(each.code, each.result, each.count) for each in tally.repairs()] == [
        ("A", "done", 1),
        ("B", "done", 1),
    ]
    cost = tally.cost({"links": 3})
    assert cost.resident_bytes > 1 << 20
    assert cost.threads >= 1
    assert cost.descriptors >= 3


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (None, report(State.OK), []),
        (None, report(State.CRIT, "a"), [(logging.ERROR, "OVS_PORT_STALE crit: words (a)")]),
        (report(State.CRIT, "a"), report(State.CRIT, "a"), []),
        (
            report(State.CRIT, "a"),
            report(State.CRIT, "b"),
            [(logging.ERROR, "OVS_PORT_STALE crit: words (b)")],
        ),
        (report(State.CRIT, "a"), report(State.OK), [(logging.INFO, "OVS_PORT_STALE ok: words")]),
        (report(State.OK), report(State.SKIP), []),
        (
            report(State.OK),
            report(State.WARN, *"abcdefg"),
            [(logging.WARNING, "OVS_PORT_STALE warn: words (a, b, c, d, e, …)")],
        ),
    ],
)
def test_a_line_for_each_change_and_none_per_cycle(
    before: Report | None, after: Report, lines: list[tuple[int, str]]
) -> None:
    assert list(changes.of_checks(before, after)) == lines


def test_sources_and_holds_that_come_and_go() -> None:
    up = SourceHealth(section="ovs", read_at=1.0)
    down = replace(up, trouble="unresponsive", reason="it hangs", since=1.0)
    absent = replace(up, trouble="absent", reason="not installed", since=1.0)
    assert list(changes.of_sources([], [up, absent])) == []
    assert list(changes.of_sources([up], [down])) == [(logging.ERROR, "source ovs unresponsive: it hangs")]
    assert list(changes.of_sources([down], [down])) == []
    assert list(changes.of_sources([down], [up])) == [(logging.INFO, "source ovs can be read again")]
    hold = Hold(kind="paused", reason="work", since=1.0)
    assert list(changes.of_holds([], [hold])) == [(logging.WARNING, "not acting from now on: paused: work")]
    assert list(changes.of_holds([hold], [hold])) == []
    assert list(changes.of_holds([hold], [])) == [(logging.INFO, "no longer paused: acting again")]


def test_what_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        notifier = Notifier()
        assert "NOTIFY_SOCKET" not in os.environ, "no child shall speak for the agent"
        notifier.status("two\nlines")
        notifier.status("two lines")
        notifier.alive()
        assert [manager.recv(100) for _ in range(2)] == [b"STATUS=two lines", b"WATCHDOG=1"]
    notifier.ready()  # the manager is gone: nothing happens
    Notifier().ready()


def test_a_file_is_whole_or_as_before(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    places.replace(path, "old", mode=0o640)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("old", 0o640)
    (tmp_path / f".state.json.{os.getpid()}.new").mkdir()  # the new one can't be written
    with pytest.raises(OSError, match="directory"):
        places.replace(path, "new", mode=0o640)
    assert path.read_text() == "old"
