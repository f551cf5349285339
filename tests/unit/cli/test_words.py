"""What reaches a terminal."""

import io
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostagent.cli import words

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(st.text())
def test_printable_leaves_nothing_to_obey(text: str) -> None:
    assert words.printable(text).isprintable()


@quick
@given(st.lists(st.lists(st.text(max_size=9), min_size=3, max_size=3), min_size=1, max_size=4))
def test_a_table_has_one_line_a_row(rows: list[list[str]]) -> None:
    lines = words.table(rows)
    assert len(lines) == len(rows)
    assert all(line.isprintable() for line in lines)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "colored"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *, colored: bool) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert words.colored() is colored
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert not words.colored()
