"""What is wrong with a published document is a reason, never an error and never a fresh state."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from hostagent.export.document import Document, Unread, read
from hostagent.export.scrape import Scraper
from hostagent.model.plain import plain
from tests.unit.export.data import check, full, report, written

if TYPE_CHECKING:
    from pathlib import Path

GOOD: dict[str, Any] = plain(full())  # type: ignore[assignment]  # a record becomes a table
WHOLE = json.dumps(GOOD)
BAD_REPORT = "its report is not hostagent.check/v1"


def changed(**other: Any) -> str:
    return json.dumps(GOOD | other)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        (WHOLE[: len(WHOLE) // 2], "not understood"),
        (WHOLE[:-1], "not understood"),
        ("\0" * 4096, "Expecting value"),
        ("[]", "its schema is None"),
        ("null", "its schema is None"),
        ("[" * 100_000, "not understood"),
        (changed(schema="hostagent.published/v2"), "its schema is 'hostagent.published/v2'"),
        (changed(alive_at="now"), "Published.alive_at: 'now' is no float"),
        (changed(alive_at=float("nan")), "NaN is no number"),
        (changed(sources=[{"trouble": ""}]), "SourceHealth.section is missing"),
        (changed(report={}), "its report's schema is None"),
        (changed(report=report() | {"schema": "hostagent.check/v2"}), "its report's schema is"),
        (changed(report={"schema": "hostagent.check/v1"}), BAD_REPORT),
        (changed(report=report() | {"checks": None}), BAD_REPORT),
        (changed(report=report({"code": "A"})), BAD_REPORT),
        (changed(report=report(check("A") | {"state": "fine"})), "'fine' is no state"),
        (changed(report=report(check("A") | {"state": ["ok"]})), "is no state"),
        (changed(report=report(check("A") | {"since": "yesterday"})), "yesterday"),
        (changed(report=report(check("A") | {"objects": 3})), BAD_REPORT),
    ],
)
def test_garbage(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "published.json"
    file.write_text(text)
    found = read(file)
    assert isinstance(found, Unread)
    assert reason in found.reason
    assert found.reason.startswith(str(file))
    assert "\n" not in found.reason
    assert len(found.reason) < 500


def test_what_a_later_version_adds_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "published.json"
    file.write_text(changed(invented="later", report=report(check("A") | {"invented": 1})))
    assert isinstance(read(file), Document)


def test_no_file_and_no_file_at_all(tmp_path: Path) -> None:
    missing, folder = read(tmp_path / "published.json"), read(tmp_path)
    assert isinstance(missing, Unread)
    assert "no such file (has hostagent.service run" in missing.reason
    assert isinstance(folder, Unread)
    assert "Is a directory" in folder.reason


def test_a_file_without_end_is_not_taken_in(tmp_path: Path) -> None:
    file = tmp_path / "published.json"
    with file.open("wb") as stream:
        stream.truncate(1 << 30)
    found = read(file)
    assert isinstance(found, Unread)
    assert "larger than 16 MiB" in found.reason


def scrape(scraper: Scraper) -> str:
    return scraper.text(dropped={"full": 0}, problems=0).decode()


def test_a_scraper_follows_the_file_and_forgets_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    file = tmp_path / "published.json"
    scraper = Scraper(file, pulse_limit_seconds=30)
    assert "hostagent_agent_up 0.0" in scrape(scraper)
    written(file, full(time.time()))
    assert 'hostagent_check_state{code="OVS_PORT_STALE"} 2.0' in scrape(scraper)
    assert scraper.ready().reason == ""
    written(file, full(time.time(), report=report(check("OVS_PORT_STALE"))))
    assert 'hostagent_check_state{code="OVS_PORT_STALE"} 0.0' in scrape(scraper)
    file.write_text(WHOLE[:-5])
    assert "hostagent_agent_up 0.0" in scrape(scraper)
    assert "OVS_PORT_STALE" not in scrape(scraper)
    file.unlink()
    assert "no such file" in scraper.ready().reason
    said = [each.message.partition(": ")[2] or each.message for each in caplog.records]
    assert len(said) == 3, said  # once for each change of state, never per scrape
    assert said[1] == "the agent's metrics are fresh"


def test_ages_count_although_the_file_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    file = written(tmp_path / "published.json", full(now - 28, fresh_seconds=39.0))
    scraper = Scraper(file, pulse_limit_seconds=30)
    monkeypatch.setattr(time, "time", lambda: now)
    assert "hostagent_agent_up 1.0" in scrape(scraper)
    monkeypatch.setattr(time, "time", lambda: now + 1.1)
    found = scrape(scraper)
    assert "hostagent_agent_up 0.0" in found
    assert "hostagent_check_state{" not in found


def test_an_unchanged_document_is_not_made_again(tmp_path: Path) -> None:
    scraper = Scraper(written(tmp_path / "published.json", full(time.time())), pulse_limit_seconds=30)
    first, second = (
        line
        for _ in range(2)
        for line in scrape(scraper).splitlines()
        if line.startswith("hostagent_exporter_render_seconds")
    )
    assert first == second


def test_a_scrape_of_200_guests_in_trouble_is_cheap(tmp_path: Path) -> None:
    """The bound is ten milliseconds of CPU at the median; a loaded machine gets some air."""
    ports = [f"br-int/vnet{number}" for number in range(200)]
    checks = [check(f"OVS_CODE_{number}", "crit", *(ports if number < 3 else ())) for number in range(40)]
    file = tmp_path / "published.json"
    scraper = Scraper(file, pulse_limit_seconds=30)
    took = []
    for looks in range(15):
        written(file, full(time.time(), report=report(*checks, status="crit"), looks=looks))
        began = time.thread_time()
        assert 'hostagent_check_objects{code="OVS_CODE_2"} 200.0' in scrape(scraper)
        took.append(time.thread_time() - began)
    assert sorted(took)[len(took) // 2] < 0.02
