"""A check's runbook as text and as a page, both from the check's own words."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hostagent.health.api import Check

_WIDTH = 88


def as_text(check: Check) -> str:
    """What ``hostagent explain`` prints."""
    twice = ", after two looks" if check.grace else ""
    parts = [f"{check.code}: {check.title} ({check.severity}{twice})"]
    for heading, words in (("Meaning", check.meaning), ("Impact", check.impact)):
        parts += ["", heading, _filled(words)]
    parts += ["", "Evidence", *(f"  {command}" for command in check.evidence)]
    parts += ["", "Repair", _filled(check.repair)]
    return "\n".join(parts) + "\n"


def as_page(check: Check) -> str:
    """The page docs/operate/runbooks/CODE.md."""
    twice = " One look is not enough: two looks, a grace period apart, must agree." if check.grace else ""
    commands = "\n".join(check.evidence)
    return (
        f"# {check.code}\n\n"
        f"{check.title}. Worst state: **{check.severity}**, group `{check.group}`.{twice}\n\n"
        f"## Meaning\n\n{check.meaning}\n\n## Impact\n\n{check.impact}\n\n"
        f"## Evidence\n\n```\n{commands}\n```\n\n## Repair\n\n{check.repair}\n"
    )


def _filled(words: str) -> str:
    return textwrap.fill(
        words,
        _WIDTH,
        initial_indent="  ",
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
