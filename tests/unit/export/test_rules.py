"""The alerts: valid, each shown to fire and not to fire, about metrics that exist, with a page for each."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hostagent.export.scrape import Scraper
from tests.unit.export.data import full, written
from tests.unit.house.pages import OPERATE, ROOT

PROMTOOL = Path(sys.executable).with_name("promtool")
FOLDER = ROOT / "packaging/prometheus"
RULES = FOLDER / "hostagent.rules.yml"
TESTS = sorted((FOLDER / "tests").glob("*.yml"))
PAGE = (OPERATE / "metrics.md").read_text()
ALERTS = re.findall(r"^      - alert: (\w+)$", RULES.read_text(), re.MULTILINE)


def promtool(*arguments: str | Path, said: str = "") -> None:
    done = subprocess.run(
        [PROMTOOL, *arguments], input=said, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout


@pytest.fixture
def exposed(tmp_path: Path) -> str:
    """A scrape of something of everything."""
    scraper = Scraper(written(tmp_path / "published.json", full(time.time())), pulse_limit_seconds=30)
    return scraper.text(dropped={"full": 0, "slow": 1}, problems=0).decode()


def families(text: str) -> set[str]:
    return set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))


def test_the_rules_are_valid() -> None:
    promtool("check", "rules", RULES)


def test_the_rules_tests() -> None:
    promtool("test", "rules", *TESTS)


def test_the_metrics_are_clean(exposed: str) -> None:
    promtool("check", "metrics", said=exposed)


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_is_shown_to_fire_and_not_to_fire(alert: str) -> None:
    shown = {
        found
        for file in TESTS
        for found in re.findall(
            rf"alertname: {alert}\n +eval_time: \w+\n +exp_alerts:( \[\]|\n)", file.read_text()
        )
    }
    assert shown == {" []", "\n"}


def test_each_alert_has_severity_words_and_a_page() -> None:
    for rule in RULES.read_text().split("      - alert: ")[1:]:
        name = rule.split()[0]
        assert re.search(r"severity: (critical|warning)$", rule, re.MULTILINE), name
        for key in ("summary", "description"):
            assert re.search(rf"^ +{key}: \S", rule, re.MULTILINE), name
        runbook = re.search(r"^ +runbook: (\S.*)$", rule, re.MULTILINE)
        assert runbook is not None, name
        by_code = "docs/operate/runbooks/{{ $labels.code }}.md"
        assert runbook[1] in {by_code, f"docs/operate/metrics.md#{name.lower()}"}
        assert f"\n### {name}\n" in PAGE, name


def test_rules_and_page_name_the_metrics_that_are_there(exposed: str) -> None:
    there = families(exposed)
    asked = set(
        re.findall(
            r"\bhostagent_\w+",
            "".join(re.findall(r"expr:.*?\n +(?:for|labels):", RULES.read_text(), re.DOTALL)),
        )
    )
    assert {re.sub(r"_bucket$", "", name) for name in asked} - there == set()
    documented = set(re.findall(r"^\| `(hostagent_\w+)", PAGE, re.MULTILINE))
    assert documented == there
