"""What a published document becomes: golden output, and what is left of it as it ages."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hostagent.export.document import Document, Unread, freshness, parse
from hostagent.export.metrics import families, pulse_limit, render
from hostagent.model.budget import Level
from hostagent.model.plain import plain
from hostagent.model.published import Published, Repairs
from tests.unit.export.data import NOW, boots_told, check, full, memory_told, report

GOLDEN = Path(__file__).parent / "golden/full.prom"
LIMIT = 30.0


def text(published: Published | Unread, now: float = NOW) -> str:
    document: Document | Unread = (
        published if isinstance(published, Unread) else parse(json.dumps(plain(published)).encode())
    )
    fresh = freshness(document, now=now, pulse_limit_seconds=LIMIT)
    return render(families(document, fresh)).decode()


def names(exposed: str) -> set[str]:
    return {re.split(r"[{ ]", line)[0] for line in exposed.splitlines() if not line.startswith("#")}


def test_all_of_it() -> None:
    assert text(full()) == GOLDEN.read_text()


def test_without_a_document_the_agent_is_down_and_nothing_else_is_said() -> None:
    found = text(Unread(reason="no such file"))
    assert names(found) == {"hostagent_agent_up"}
    assert "hostagent_agent_up 0.0\n" in found


TIMES = {
    "hostagent_agent_up",
    "hostagent_build_info",
    "hostagent_agent_start_time_seconds",
    "hostagent_published_timestamp_seconds",
    "hostagent_look_timestamp_seconds",
    "hostagent_look_fresh_seconds",
}
STATES = {
    "hostagent_status",
    "hostagent_check_state",
    "hostagent_check_muted",
    "hostagent_check_since_timestamp_seconds",
    "hostagent_check_objects",
    "hostagent_dhcp_verdict",
    "hostagent_dhcp_leases_overdue",
}


@pytest.mark.parametrize(
    ("changes", "up", "states", "counters"),
    [
        ({}, 1, True, True),
        ({"alive_at": NOW - LIMIT - 1}, 0, True, False),
        ({"taken_at": NOW - 181}, 1, False, True),
        ({"alive_at": NOW - 200, "taken_at": NOW - 200}, 0, False, False),
        ({"taken_at": NOW - 181, "fresh_seconds": 600.0}, 1, True, True),
        # The clock was set back by an hour since.
        ({"alive_at": NOW + 3600, "taken_at": NOW + 3600}, 0, False, False),
        ({"alive_at": NOW + 1, "taken_at": NOW + 1}, 1, True, True),
    ],
)
def test_what_is_old_is_never_shown_as_fresh(
    changes: dict[str, Any], *, up: int, states: bool, counters: bool
) -> None:
    found = text(full(**changes))
    assert f"hostagent_agent_up {up}.0\n" in found
    assert names(found) >= TIMES
    assert (names(found) >= STATES) is states
    assert bool(STATES & names(found)) is states
    assert ("hostagent_repairs_total" in names(found)) is counters
    assert ("hostagent_source_up" in names(found)) is counters
    if not (states or counters):
        assert names(found) == TIMES


def test_a_check_that_is_gone_leaves_no_series() -> None:
    found = text(full(report=report(check("OVS_PORT_STALE"))))
    assert 'code="OVS_PORT_STALE"} 0.0' in found
    assert "OVS_BRIDGE_MISSING" not in found


def test_memory_that_is_unknown_or_of_an_old_look_has_no_series() -> None:
    memory = {name for name in names(text(full())) if re.match("hostagent_(memory|ksm|cpu)_", name)}
    assert len(memory) > 20
    for changes in ({"memory": None}, {"taken_at": NOW - 181}):
        assert not memory & names(text(full(**changes)))
    told = memory_told(NOW)
    blind = replace(told.budget, available=None, needed=None, unmerge=None, ratio=None, ksm=None, nodes=())
    found = text(full(memory=replace(told, level=Level.UNKNOWN, budget=blind)))
    gone = {name for name in memory if re.search("available|needed|headroom_bytes|ksm|node", name)}
    assert memory - names(found) == gone
    assert "hostagent_memory_level -1.0\n" in found
    assert 'basis="max"' not in found


def test_boots_are_told_only_while_they_are_paced_and_the_agent_lives() -> None:
    boots = {name for name in names(text(full())) if name.startswith("hostagent_boot_")}
    assert len(boots) > 15
    told = boots_told(NOW)
    for changes in ({"boots": None}, {"boots": replace(told, enabled=False)}, {"alive_at": NOW - LIMIT - 1}):
        assert not boots & names(text(full(**changes)))
    hangs = names(text(full(boots=replace(told, at=NOW - 200))))
    assert boots & hangs == {"hostagent_boot_timestamp_seconds"}
    quiet = tuple(replace(each, latency_seconds=None) for each in told.pools)
    calm = names(text(full(boots=replace(told, pools=quiet, released_at=None, unknown_since=None))))
    assert boots - calm == {
        "hostagent_boot_latency_seconds",
        "hostagent_boot_released_timestamp_seconds",
        "hostagent_boot_blind_since_timestamp_seconds",
    }


def test_what_is_there_twice_is_exposed_once() -> None:
    twice = (Repairs(code="A", result="done", count=1), Repairs(code="A", result="done", count=2))
    found = text(full(report=report(check("A"), check("A", "warn")), repairs=twice))
    series = [line.rpartition(" ")[0] for line in found.splitlines() if not line.startswith("#")]
    assert len(series) == len(set(series))


def test_every_name_is_ours_and_no_label_names_the_host_or_a_guest() -> None:
    found = text(full())
    assert {name for name in names(found) if not name.startswith("hostagent_")} == set()
    labels = set(re.findall(r'[{,](\w+)="', found))
    assert labels == {
        "version",
        "code",
        "source",
        "result",
        "figure",
        "le",
        "kind",
        "reason",
        "network",
        "server",
        "layer",
        "basis",
        "node",
        "pool",
    }
    assert "vnet3" not in found


@pytest.mark.parametrize(("pulse", "limit"), [(0.5, 30), (3.0, 30), (10.0, 50), (60.0, 300)])
def test_five_pulses_or_half_a_minute(pulse: float, limit: float) -> None:
    assert pulse_limit(pulse) == limit
