"""The documentation pages that are made of the source: `python -m tests.unit.house.pages` writes them."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from hostagent.config import DEFAULT_FILE, tables
from hostagent.health.loader import load_checks
from hostagent.health.runbook import as_page

ROOT = Path(__file__).parents[3]
OPERATE = ROOT / "docs" / "operate"


def pages() -> dict[Path, str]:
    """Every generated page with its text."""
    checks = load_checks("/nonexistent").by_code
    made = {OPERATE / "runbooks" / f"{code}.md": as_page(check) for code, check in checks.items()}
    rows = "".join(
        f"| [{code}]({code}.md) | {check.severity} | {check.title} |\n" for code, check in checks.items()
    )
    made[OPERATE / "runbooks" / "README.md"] = (
        "# Runbooks\n\nOne page for each check, the same text as `hostagent explain CODE`.\n\n"
        f"| code | worst | what it is |\n|---|---|---|\n{rows}"
    )
    made[OPERATE / "configuration.md"] = _configuration()
    return made


def _configuration() -> str:
    text = (
        "# Configuration\n\n"
        f"Settings are in `{DEFAULT_FILE}`, TOML; `hostagent --config FILE` names another\n"
        "file. Every key has a default, and without the file all defaults hold. A file with a fault is\n"
        "refused as a whole, with every fault as `file:key: reason`: try `hostagent config validate`.\n"
        "`hostagent config show` prints what holds.\n"
    )
    for name, record in tables().items():
        text += f"\n## [{name}]\n\n| key | default | range | what it is |\n|---|---|---|---|\n"
        for each in fields(record):
            limits = each.metadata
            span = "" if limits["least"] is None else f"{limits['least']:g} to {limits['most']:g}"
            span = "absolute path" if limits["absolute"] else span
            text += f"| `{each.name}` | `{json.dumps(each.default)}` | {span} | {limits['about']} |\n"
    return text


if __name__ == "__main__":
    for path, page in pages().items():
        path.write_text(page)
    known = {path.name for path in pages()}
    for path in (OPERATE / "runbooks").iterdir():
        if path.name not in known:
            path.unlink()
