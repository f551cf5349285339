"""hostagent-checks(7), from the checks' own runbooks."""

from __future__ import annotations

from docs.man.roff import heading, lines, paragraphs, subheading, title
from hostagent import __version__
from hostagent.health.loader import load_checks

_ABOUT = """\
What `hostagent check` looks for, by code. The same text is printed by `hostagent explain CODE`. A check
says ok, warn, crit, unknown (what it needs could not be read) or skip (what it concerns is not installed).

A site's own checks are files in /etc/hostagent/checks.d with the same interface as those of the package."""


def page() -> str:
    """The page with a section for each check of the package."""
    text = title("hostagent-checks", 7, __version__, "Miscellaneous")
    text += heading("NAME") + "hostagent\\-checks \\- what hostagent checks, and what to do about it\n"
    text += heading("DESCRIPTION") + paragraphs(_ABOUT)
    for code, check in load_checks("/nonexistent").by_code.items():
        twice = " Two looks, a grace period apart, must agree." if check.grace else ""
        text += heading(code)
        text += paragraphs(f"{check.title}. Worst state: {check.severity}, group {check.group}.{twice}")
        for name, words in (("Meaning", check.meaning), ("Impact", check.impact)):
            text += subheading(name) + paragraphs(words)
        text += subheading("Evidence") + lines(check.evidence)
        text += subheading("Repair") + paragraphs(check.repair)
    return text + heading("SEE ALSO") + ".BR hostagent (1),\n.BR hostagent.toml (5)\n"
