"""Which networks are probed, and how reports are kept."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from hostagent.act.dhcp.probing import keep, merged, probe_all
from hostagent.config import Dhcp, Paths, Settings
from hostagent.model.dhcp import HOST, PROBES_FILE, Layer, Outcome, ProbeReport, ProbeTarget
from hostagent.sources.dhcp.probes import parse_probes, read_probes

TARGET = ProbeTarget(
    network="br1",
    namespace=HOST,
    link="br1",
    kind="linux-bridge",
    server="10.77.1.1",
    prefix="10.77.1.0/24",
    server_pid=11,
)


def report(at: float, outcome: Outcome = Outcome.OK, **fields: Any) -> ProbeReport:
    known: dict[str, Any] = {
        "network": "br1",
        "server": "10.77.1.1",
        "layer": Layer.UNICAST,
        "server_pid": 11,
    }
    return ProbeReport(at=at, outcome=outcome, **known | fields)


def settings(tmp_path: Path, **dhcp: Any) -> Settings:
    return Settings(dhcp=Dhcp(**dhcp), paths=Paths(run_dir=str(tmp_path), stop_file=str(tmp_path / "stop")))


@pytest.mark.parametrize(
    ("dhcp", "seconds", "words"),
    [
        ({"probe": False}, 60, "switched off"),
        ({"passive": ("br1",)}, 60, "only to be watched"),
        ({}, 1, "no time was left"),
    ],
)
def test_why_not(tmp_path: Path, dhcp: dict[str, Any], seconds: float, words: str) -> None:
    until = time.monotonic() + seconds
    (found,) = probe_all([TARGET], settings(tmp_path, **dhcp), known=(), until=until)
    assert (found.outcome, found.server_pid) == (Outcome.SKIPPED, 11)
    assert words in found.detail


def test_stop_file_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "stop").touch()
    (found,) = probe_all([TARGET], settings(tmp_path), known=(), until=time.monotonic() + 60)
    assert found.outcome is Outcome.SKIPPED
    assert "stop" in found.detail


@pytest.mark.parametrize(
    ("known", "left_alone"),
    [
        (report(-60.0), True),
        (report(-700.0), False),
        (report(-60.0, Outcome.DEAD), False),
        (report(-60.0, layer=Layer.RENEW), False),
        (report(-60.0, server_pid=9), False),
        (report(-60.0, network="br2"), False),
    ],
)
def test_what_answered_is_left_alone(tmp_path: Path, known: ProbeReport, left_alone: bool) -> None:  # noqa: FBT001  a table
    (tmp_path / "stop").touch()
    before = ProbeReport(
        **{name: getattr(known, name) for name in ProbeReport.__slots__} | {"at": time.time() + known.at}
    )
    found = probe_all([TARGET], settings(tmp_path), known=[before], until=time.monotonic() + 60)
    assert (found == []) is left_alone
    suspects = frozenset({"br1/10.77.1.1"})
    again = probe_all([TARGET], settings(tmp_path), known=[before], until=time.monotonic(), suspects=suspects)
    assert len(again) == 1


def test_newest_wins_and_a_skip_hides_nothing() -> None:
    old, new, skipped = report(1.0), report(2.0, Outcome.DEAD), report(3.0, Outcome.SKIPPED)
    other = report(1.0, layer=Layer.RENEW)
    assert set(merged([new, other], [old, skipped])) == {new, other}
    assert merged([skipped], []) == (skipped,)
    assert merged([skipped], [report(4.0)]) == (report(4.0),)


def test_kept_and_read_again(tmp_path: Path) -> None:
    now = time.time()
    new = report(now, latencies=(0.001, 0.002), timeline=("a", "b"), server_pid=None)
    keep([new, report(now - 10 * 3600)], settings(tmp_path))
    assert read_probes(str(tmp_path)) == (new,)
    assert [each.name for each in tmp_path.iterdir()] == [PROBES_FILE]


def test_nowhere_to_keep_is_no_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    keep([report(1.0)], settings(tmp_path / "file"))
    assert "can't be written" in caplog.text


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"network": 5}]', "[" * 100_000, "\0"])
def test_another_versions_file(tmp_path: Path, text: str) -> None:
    (tmp_path / PROBES_FILE).write_text(text)
    assert read_probes(str(tmp_path)) == ()
    (tmp_path / PROBES_FILE).unlink()
    assert read_probes(str(tmp_path)) == ()


def test_unknown_words_are_refused() -> None:
    raw = json.loads('{"network": "a", "server": "b", "layer": "magic", "at": 1.0, "outcome": "ok"}')
    with pytest.raises(ValueError, match="layer"):
        parse_probes([raw], since=0.0)
